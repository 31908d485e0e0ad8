"""How gunicorn serves (gunicorn --config python:helpdesk.gunicorn). Numbers come from the environment."""

from helpdesk import env

env.load()
bind = f":{env.number('PORT', 8000, least=1)}"
workers = env.number("WEB_CONCURRENCY", 2, least=1)
threads = env.number("WEB_THREADS", 4, least=1)
worker_class = "gthread"
timeout = 30  # seconds
graceful_timeout = 25  # shorter than the 30 seconds that platforms wait before they kill
keepalive = 75  # longer than the router's, so that it never writes into a closed connection
max_requests = 1000
max_requests_jitter = max_requests  # else workers that began together restart together
# Longer requests are refused before Django sees them (414, 431).
limit_request_line = 4094
limit_request_fields = 100
limit_request_field_size = 8190
# Whose X-Forwarded-* are believed: the platform's router, which is the only way in.
forwarded_allow_ips = env.text("FORWARDED_ALLOW_IPS", "127.0.0.1")
# No SCRIPT_NAME or PATH_INFO as a header: the router passes it on from whoever sends it, and one that does
# not fit is answered with 500.
forwarder_headers = ""
control_socket_disable = True
