FROM python:3.13-slim
WORKDIR /srv/finestra
COPY requirements.lock pyproject.toml ./
RUN pip install --no-cache-dir --require-hashes -r requirements.lock \
    && useradd --system --no-create-home finestra
COPY shared shared
COPY webhook webhook
COPY workers workers
COPY sandbox sandbox
COPY cli cli
ENV PYTHONUNBUFFERED=1 PYTHONPATH=/srv/finestra
USER finestra
