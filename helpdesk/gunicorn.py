"""The configuration of gunicorn (gunicorn --config python:helpdesk.gunicorn)."""

from helpdesk import env

env.load()
bind = f":{env.number('PORT', 8000, least=1)}"
workers = env.number("WEB_CONCURRENCY", 2, least=1)
threads = env.number("WEB_THREADS", 4, least=1)
worker_class = "gthread"
timeout = 30  # seconds
graceful_timeout = 25  # shorter than the 30 seconds that platforms wait before they kill a process
keepalive = 75  # longer than the router's keep-alive, so that the router never uses a closed connection
max_requests = 1000
max_requests_jitter = max_requests  # otherwise workers that started together restart together
# gunicorn rejects longer requests before Django sees them (414, 431).
limit_request_line = 4094
limit_request_fields = 100
limit_request_field_size = 8190
# The addresses whose X-Forwarded-* headers gunicorn trusts: the platform's router.
forwarded_allow_ips = env.text("FORWARDED_ALLOW_IPS", "127.0.0.1")
# Ignore SCRIPT_NAME and PATH_INFO as headers: the router forwards them from any client, and an invalid value
# causes a 500.
forwarder_headers = ""
control_socket_disable = True
