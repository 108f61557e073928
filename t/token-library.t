#!/usr/bin/perl

# Tokens that a library of others makes (PyJWT), with a key of each kind, and
# by reelctl; each under the key of another kind is refused.

use strict;
use warnings;
use lib 't/lib';
use Asset;
use JSON::PP qw(decode_json);
use Reel;
use Test::More;
use Token;

my $python = '/usr/bin/python3';
plan skip_all => 'python3-jwt is not installed'
    if system("$python -c 'import jwt, cryptography' 2>/dev/null");

my $t = Reel->new(idle => 1);
my $d = $t->{dir};
my $a = Asset->new($t, fragments => 3);

# prints the set of public keys, and a token of each, and crossed ones
spew("$d/make.py", <<'EOF');
import base64, json, sys, time
import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (Encoding,
    PublicFormat)

sub = sys.argv[1]

def b64(n, size=None):
    b = n if isinstance(n, bytes) else n.to_bytes(
        size or (n.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(b).rstrip(b"=").decode()

secret = b"\x07\xff" * 24
r = rsa.generate_private_key(65537, 2048)
e = ec.generate_private_key(ec.SECP256R1())
o = ed25519.Ed25519PrivateKey.generate()
n, p = r.public_key().public_numbers(), e.public_key().public_numbers()
raw = o.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
keys = [
    {"kid": "h", "kty": "oct", "alg": "HS256", "k": b64(secret)},
    {"kid": "r", "kty": "RSA", "alg": "RS256", "n": b64(n.n), "e": b64(n.e)},
    {"kid": "e", "kty": "EC", "crv": "P-256", "x": b64(p.x, 32),
     "y": b64(p.y, 32)},
    {"kid": "o", "kty": "OKP", "crv": "Ed25519", "x": b64(raw)}]
claims = {"sub": sub, "exp": int(time.time()) + 600, "aud": ["play", "x"],
          "iat": int(time.time()), "iss": "site", "name": "Zoë"}
signers = {"h": ("HS256", secret), "r": ("RS256", r), "e": ("ES256", e),
           "o": ("EdDSA", o)}
made = {k: jwt.encode(claims, key, alg, {"kid": k})
        for k, (alg, key) in signers.items()}
crossed = [jwt.encode(claims, key, alg, {"kid": k})
           for alg, key in signers.values() for k in signers
           if signers[k][0] != alg]
again = [jwt.encode(claims, rsa.generate_private_key(65537, 2048), "RS256",
                    {"kid": "r"}),
         jwt.encode(claims, ec.generate_private_key(ec.SECP256R1()), "ES256",
                    {"kid": "e"}),
         jwt.encode(claims, ed25519.Ed25519PrivateKey.generate(), "EdDSA",
                    {"kid": "o"}),
         jwt.encode(claims, b"\x07\xfe" * 24, "HS256", {"kid": "h"})]
print(json.dumps({"keys": keys, "made": made, "crossed": crossed,
                  "again": again,
                  "none": jwt.encode(claims, None, "none", {"kid": "h"})}))
EOF
my $all = decode_json(`$python $d/make.py $a->{id}`);
my $keys = key_file("$d/tokens.json", @{ $all->{keys} });
$t->{o}{conf} = "location /play/ { reel_play; reel_token required;
    reel_token_keys $keys; reel_token_audience play; }";
$t->nginx_start;

sub get { return http($t, 'GET', "/play/$_[0]/master.m3u8"); }

for (sort keys %{ $all->{made} }) {
    has_status(get($all->{made}{$_}), 200, undef, "signed with $_");
    has_status(get($all->{made}{$_}), 200, undef, "and again");
}
for (@{ $all->{crossed} }) {
    has_status(get($_), 403, 'TOKEN_ALG', 'the key of another kind');
}
for (@{ $all->{again} }) {
    has_status(get($_), 403, 'TOKEN_SIGNATURE', 'another key of the kind');
}
has_status(get($all->{none}), 403, 'TOKEN_ALG', 'alg none');

SKIP: {
    my $ctl = ($ENV{REEL_MODULE} ? $ENV{REEL_MODULE} =~ s{[^/]*$}{}r
        : "$Reel::TOP/build/") . 'bin/reelctl';
    skip 'reelctl is not built', 1 if !-x $ctl;
    chomp(my $token = `$ctl play-token --token-keys $keys --audience play $a->{id}`);
    has_status(get($token), 200, undef, 'by reelctl');
}

done_testing;
