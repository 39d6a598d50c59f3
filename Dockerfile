# One image for Airflow's four processes and the sandbox; the same lock file as everywhere.
FROM python:3.11.14-slim-bookworm

ENV PYTHONUNBUFFERED=1 \
    UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_PROJECT_ENVIRONMENT=/opt/kizuna/.venv \
    KIZUNA_PROJECT=/opt/kizuna \
    KIZUNA_HOME=/opt/kizuna/.kizuna \
    PATH=/opt/kizuna/.venv/bin:$PATH

RUN pip install --no-cache-dir uv==0.13.9 \
    && useradd --create-home --uid 50000 kizuna \
    && mkdir -p /opt/kizuna/.kizuna \
    && chown -R kizuna /opt/kizuna

USER kizuna
WORKDIR /opt/kizuna
COPY --chown=kizuna pyproject.toml uv.lock .python-version README.md ./
RUN uv sync --locked --no-dev --no-install-project --no-python-downloads
COPY --chown=kizuna . .
RUN uv sync --locked --no-dev --no-python-downloads

CMD ["kizuna", "--help"]
