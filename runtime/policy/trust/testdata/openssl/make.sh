#!/bin/sh
# Signs a module with openssl alone, with keys that exist for this test only, and
# writes the public keys and the envelopes that the test verifies. The private
# keys are not kept. Needs openssl 3 and GNU coreutils; run it in this folder.
set -eu
printf 'a module, as far as signatures are concerned' > module.bin
digest=$(sha256sum module.bin | cut -d' ' -f1)
type=application/vnd.pacer.policy.statement.v1+json
payload=$(printf '{"digest":"sha256:%s","name":"signed-by-openssl","version":"1.2.3"}' "$digest")
# DSSE's pre-authentication encoding.
printf 'DSSEv1 %d %s %d %s' "${#type}" "$type" "${#payload}" "$payload" > signed.tmp

openssl genpkey -algorithm ed25519 -out ed25519.tmp
openssl pkeyutl -sign -inkey ed25519.tmp -rawin -in signed.tmp -out ed25519-sig.tmp
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ecdsa.tmp
openssl dgst -sha256 -sign ecdsa.tmp -out ecdsa-sig.tmp signed.tmp

for kind in ed25519 ecdsa; do
  openssl pkey -in $kind.tmp -pubout -out $kind.pub
  openssl pkey -in $kind.tmp -pubout -outform DER | sha256sum | cut -d' ' -f1 > $kind.id
  printf '{"payloadType":"%s","payload":"%s","signatures":[{"sig":"%s"}]}\n' \
    "$type" "$(printf %s "$payload" | base64 -w0)" "$(base64 -w0 $kind-sig.tmp)" > $kind.sig
done
# Keys of kinds that are not taken.
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.tmp
openssl pkey -in rsa.tmp -pubout -out rsa.pub
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out p384.tmp
openssl pkey -in p384.tmp -pubout -out p384.pub
openssl genpkey -algorithm ed448 -out ed448.tmp
openssl pkey -in ed448.tmp -pubout -out ed448.pub
rm -f -- *.tmp
