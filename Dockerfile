# The server, the client and the two sample models on Debian 12:
#
#   docker build -t lazynet .
#   docker run --rm -p 8001:8001 -p 8002:8002 lazynet
#   docker run --rm -p 8001:8001 -v "$PWD/models:/models:ro" lazynet
#
# gRPC is at 8001 and metrics at 8002. Calls that change models go to 8003, which listens inside the container only:
# docker exec <container> lazynet ... reaches it. The image wants no writable root file system (--read-only) and no
# capability (--cap-drop=all). With TLS (LAZYNET_TLS_CERTIFICATE, LAZYNET_TLS_KEY) the health check wants
# LAZYNET_CLIENT_TLS_CA and LAZYNET_CLIENT_TLS_SERVER_NAME, and with mutual TLS a certificate of its own.

FROM debian:bookworm AS build
WORKDIR /src

# First and alone: a change of the sources does not install the packages again.
COPY deploy/install-dependencies.sh deploy/install-dependencies.sh
RUN deploy/install-dependencies.sh build

COPY . .
RUN cmake --preset release -DLAZYNET_TESTS=OFF \
 && cmake --build --preset release --target lazynet-server lazynet \
 && cmake --install build/release --prefix /opt/lazynet --strip

FROM debian:bookworm-slim

# Only what the two binaries are linked with; what each of these needs comes with it. Before the sources' layer, so
# that every build shares it.
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      libabsl20220623 \
      libblas3 \
      libdnnl2 \
      libfmt9 \
      libgomp1 \
      libgrpc++1.51 \
      liblapack3 \
      libprometheus-cpp-core1.0 \
      libprotobuf32 \
      libspdlog1.10 \
      libssl3 \
      zlib1g \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/*-old /var/cache/ldconfig/aux-cache \
      /var/log/apt /var/log/dpkg.log /var/log/alternatives.log /var/lib/dpkg/*-old \
 && groupadd --system --gid 65532 lazynet \
 && useradd --system --uid 65532 --gid 65532 --no-create-home --home-dir /nonexistent \
      --shell /usr/sbin/nologin lazynet

COPY --from=build /opt/lazynet/ /usr/local/
COPY LICENSE NOTICE /usr/local/share/doc/lazynet/
COPY deploy/models /models

# By number, so that an orchestrator can see that it is not root.
USER 65532:65532
EXPOSE 8001 8002 8003
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["lazynet", "health", "--server", "127.0.0.1:8001"]
ENTRYPOINT ["lazynet-server"]
CMD ["--model-repository=/models", "--grpc-address=0.0.0.0:8001", "--metrics-address=0.0.0.0:8002"]
