# All processes of Finestra: docker-compose.yml says which command runs where, and how each one's health is asked.
# A release pins the base: --build-arg PYTHON_IMAGE=python:3.13-slim@sha256:…
ARG PYTHON_IMAGE=python:3.13-slim

FROM ${PYTHON_IMAGE} AS build
# With the extras `errors` and `tracing`: --build-arg REQUIREMENTS=requirements-extras.lock
ARG REQUIREMENTS=requirements.lock
COPY ${REQUIREMENTS} requirements.lock
# Only wheels, so that nothing is compiled, and only what the lock file names by hash.
RUN python -m venv --without-pip /opt/venv \
    && pip --python /opt/venv/bin/python install --no-cache-dir --require-hashes --only-binary :all: -r requirements.lock
WORKDIR /srv/finestra
COPY shared shared
COPY webhook webhook
COPY workers workers
COPY sandbox sandbox
COPY cli cli
RUN python -m compileall -q .

FROM ${PYTHON_IMAGE}
# What is not there cannot be used: the base's installer goes too.
RUN pip uninstall --yes --quiet --root-user-action ignore pip \
    && useradd --system --no-create-home --uid 10001 --user-group finestra
COPY --from=build /opt/venv /opt/venv
COPY --from=build /srv/finestra /srv/finestra
WORKDIR /srv/finestra
ENV PATH=/opt/venv/bin:$PATH PYTHONPATH=/srv/finestra PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
# By number: whoever runs it can see that it is not root. The configuration must be readable for it.
USER 10001:10001
