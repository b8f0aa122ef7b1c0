# One image, three roles: web, worker, simulator; or all of them in one process for a hosted demo (`--role all`).
#   docker build -t twin . && docker run --rm -p 8080:8080 twin
# The base image is named by its minor version; a release build may pin its digest.

FROM python:3.13-slim-bookworm AS packages
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/venv
COPY requirements.lock /opt/requirements.lock
# Every package is named with its hash, and none is built here: what was tested is what is installed.
RUN /opt/venv/bin/pip install --require-hashes --only-binary=:all: -r /opt/requirements.lock

FROM python:3.13-slim-bookworm
RUN groupadd --system --gid 10001 twin \
    && useradd --system --uid 10001 --gid twin --home-dir /data --shell /usr/sbin/nologin twin \
    && install --directory --owner=twin --group=twin --mode=0750 /data
COPY --from=packages /opt/venv /opt/venv
WORKDIR /app
# The code belongs to root: the process cannot change what it runs.
COPY main.py hosted.py simulator.py firebase_config.py pyproject.toml requirements.txt ./
COPY .streamlit/config.toml .streamlit/config.toml
COPY twin twin
COPY pages pages
RUN ["/opt/venv/bin/python", "-m", "compileall", "-q", "twin", "pages", "main.py", "hosted.py", "simulator.py", "firebase_config.py"]
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/data \
    TWIN_VENV=current \
    TWIN_HOME=/data \
    PORT=8080
USER 10001:10001
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=15s --timeout=4s --start-period=40s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f\"http://127.0.0.1:{os.environ['PORT']}/ready\", timeout=3)"]
ENTRYPOINT ["python", "-m", "twin", "serve"]
CMD ["--role", "all"]
