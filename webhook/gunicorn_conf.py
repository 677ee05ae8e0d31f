"""How gunicorn runs both doors: threads, because the work is waiting for Redis; nginx stands in front.

`gunicorn -c python:webhook.gunicorn_conf 'webhook.wsgi:receiver()'`
"""

worker_class = "gthread"
workers = 2
threads = 16
timeout = 30
graceful_timeout = 20
# Longer than nginx keeps its connections (deploy/nginx.conf), so that it is nginx who closes them.
keepalive = 40
# Many run side by side on one machine, and none takes commands from outside.
control_socket_disable = True
accesslog = None
loglevel = "warning"
