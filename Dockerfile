# The server over HTTP, in an image that runs without root and with a root file system that nobody writes to.
# What lasts is below /var/lib/agentmem; docs/deploy.md says how it is run.
FROM python:3.13-slim-bookworm AS build
WORKDIR /src
COPY requirements/build.txt requirements/runtime.txt requirements/
RUN python -m venv /opt/agentmem \
 && /opt/agentmem/bin/pip install --no-cache-dir --require-hashes -r requirements/build.txt -r requirements/runtime.txt
COPY pyproject.toml README.md LICENSE ./
COPY mcp_server mcp_server
COPY manifests manifests
COPY plugins plugins
COPY sdk sdk
RUN /opt/agentmem/bin/pip install --no-cache-dir --no-deps --no-build-isolation . \
 && /opt/agentmem/bin/python -m compileall -q /opt/agentmem/lib

FROM python:3.13-slim-bookworm
RUN useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin agentmem \
 && install -d -o agentmem -g agentmem -m 0700 /var/lib/agentmem
COPY --from=build /opt/agentmem /opt/agentmem
ENV PATH=/opt/agentmem/bin:$PATH \
    AGENTMEM_HOME=/var/lib/agentmem \
    PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
WORKDIR /var/lib/agentmem
VOLUME /var/lib/agentmem
EXPOSE 8765
# Signals come to the server itself, which is the first process; the plugins' workers are its own to wait for.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8765/health', timeout=2)"]
ENTRYPOINT ["agentmem-mcp"]
CMD ["serve", "--http", "0.0.0.0:8765"]
