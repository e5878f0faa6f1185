#!/bin/sh
# Made the files beside it, once: an authority, and certificates of 127.0.0.1 that are valid, have expired, and are not valid yet.
# They stay so until 2124. The keys protect nothing.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
: >"$work/index"
echo 01 >"$work/serial"
cat >"$work/ca.cnf" <<END
[ca]
default_ca = it
[it]
database = $work/index
serial = $work/serial
new_certs_dir = $work
default_md = sha256
policy = any
x509_extensions = of_server
unique_subject = no
[any]
commonName = supplied
[of_server]
basicConstraints = critical, CA:false
subjectAltName = IP:127.0.0.1
extendedKeyUsage = serverAuth
END
openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -nocrypt -out "$work/authority.key"
openssl req -x509 -new -key "$work/authority.key" -subj "/CN=authority of the tests" -days 36500 \
    -addext "keyUsage = critical, keyCertSign" -out authority.pem
openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -nocrypt -out server.key
openssl req -new -key server.key -subj "/CN=127.0.0.1" -out "$work/server.csr"
certificate() {
    openssl ca -batch -notext -config "$work/ca.cnf" -keyfile "$work/authority.key" -cert authority.pem \
        -in "$work/server.csr" -startdate "$2" -enddate "$3" -out "$1.pem"
}
certificate valid 20200101000000Z 21240101000000Z
certificate expired 20200101000000Z 20240229120000Z
certificate future 21000101000000Z 21240101000000Z
