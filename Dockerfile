# Kith in a container: one static program, certificates to trust, and a data folder.
#
#   docker build -t kith .
#   docker run -p 8080:8080 -v kith:/data kith
#
# Every builder takes this file, the classic one too. The last stage needs nothing but what lies in /out:
# tests/compose builds that stage alone, where no image can be pulled.

FROM rust:1.95-slim-bookworm AS build
WORKDIR /build
# All of libc goes into the program, so that the last stage needs no system around it.
ENV RUSTFLAGS="-C target-feature=+crt-static"

# The dependencies change rarely: with an empty program they are a layer of their own. Cargo wants to see
# a file for every bench that Cargo.toml names.
COPY Cargo.toml Cargo.lock ./
RUN mkdir src benches \
    && touch src/lib.rs \
    && echo 'fn main() {}' > src/main.rs \
    && sed -n '/^\[\[bench\]\]/,/^name/s/^name = "\(.*\)"/\1/p' Cargo.toml \
        | while read -r name; do cp src/main.rs "benches/$name.rs"; done \
    && cargo build --locked --release --bin kith --target "$(rustc -vV | sed -n 's/^host: //p')"

COPY . .
# Copied files keep their age, which may be greater than that of the empty program.
RUN touch src/lib.rs src/main.rs \
    && target="$(rustc -vV | sed -n 's/^host: //p')" \
    && cargo build --locked --release --bin kith --target "$target" \
    && mkdir -p /out/data \
    && cp "target/$target/release/kith" /out/kith \
    && cp /etc/ssl/certs/ca-certificates.crt /out/ca-certificates.crt

FROM scratch
COPY --from=build /out/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
# A new volume takes over the owner of the folder that it is put on.
COPY --from=build --chown=10001:10001 /out/data /data
COPY --from=build /out/kith /bin/kith
ENV KITH_ENV=production KITH__SERVER__DATA_DIR=/data
USER 10001:10001
WORKDIR /
VOLUME /data
EXPOSE 8080
# Asks the admin door, which needs no port of the container for that.
HEALTHCHECK --interval=10s --timeout=4s --start-period=20s CMD ["kith", "healthcheck"]
ENTRYPOINT ["kith"]
CMD ["serve"]
