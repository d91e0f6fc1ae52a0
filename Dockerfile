# One image for the three servers: docker run … bazar frontend | catalog | order.
# Builds with BuildKit and with the classic builder of Docker 20.10 alike: so no "# syntax=", no here-documents,
# no COPY --link and no RUN --mount.
ARG BASE=python:3.12-slim-bookworm

FROM ${BASE} AS build
# For a machine that reaches its packages in its own way: --build-arg PIP_INDEX_URL=… and the like. pip reads these
# from the environment while the image is built; none of them is left in the final stage.
ARG PIP_CONFIG_FILE
ARG PIP_INDEX_URL
ARG PIP_CERT
ENV PIP_NO_CACHE_DIR=1 \
    PIP_NO_COMPILE=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
COPY requirements/build.txt requirements/run.txt requirements/
# Two environments: the tools of the build stay in this stage, /opt/bazar has not even pip.
RUN python3 -m venv /opt/tools \
 && /opt/tools/bin/pip install --require-hashes -r requirements/build.txt \
 && python3 -m venv --without-pip /opt/bazar \
 && /opt/tools/bin/pip --python /opt/bazar/bin/python install --require-hashes -r requirements/run.txt
COPY pyproject.toml README.md LICENSE ./
COPY requirements/run.in requirements/
COPY src src
# Byte code that is never checked against its source: the root file system is read-only, nobody can mend a stale file.
RUN /opt/tools/bin/pip wheel --no-deps --no-build-isolation --wheel-dir dist . \
 && /opt/tools/bin/pip --python /opt/bazar/bin/python install --no-deps --no-index dist/*.whl \
 && /opt/bazar/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/bazar/lib

FROM ${BASE}
LABEL org.opencontainers.image.title="Bazar" \
      org.opencontainers.image.description="An on-line book store of three servers" \
      org.opencontainers.image.licenses="MIT"
# A fixed number, so that the files of a volume keep their owner from one version of the image to the next. A new
# volume takes owner and mode from the folders made here.
RUN groupadd --gid 10001 bazar \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin bazar \
 && install --directory --owner 10001 --group 10001 --mode 0700 /data /data/certs
COPY --from=build /opt/bazar /opt/bazar
ENV PATH=/opt/bazar/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    MALLOC_ARENA_MAX=2 \
    MALLOC_MMAP_THRESHOLD_=1048576 \
    BAZAR_DATA_DIR=/data
USER 10001:10001
WORKDIR /data
VOLUME ["/data"]
EXPOSE 8443 8444 8445
STOPSIGNAL SIGTERM
# The front-end's; another server asks for its own: docker run --health-cmd "bazar doctor --probe catalog" …
HEALTHCHECK --interval=10s --timeout=10s --start-period=30s --retries=3 \
    CMD ["bazar", "doctor", "--probe", "frontend"]
ENTRYPOINT ["bazar"]
CMD ["--help"]
