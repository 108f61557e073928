# a body that the pool reads from the socket by itself: in whole buffers, to
# the byte, and nothing of what follows it
use strict;
use warnings;
use Digest::SHA qw(sha256_hex);
use IO::Socket::INET;
use Test::More;
use Time::HiRes qw(sleep);
use lib 't/lib';
use Reel;
use Tus;

my $t = Reel->new(conf => 'location /upload/ { reel_upload;
    reel_upload_buffer 16k; client_body_timeout 1s; }');
my $size = 6_000_001;                   # more than one turn
my $body = join '', map { pack 'N', $_ * 2654435761 & 0xffffffff }
    0 .. $size / 4;
$body = substr $body, 0, $size;

sub source {
    my ($asset) = @_;
    return sha256_hex(slurp(asset_source($t, $asset)));
}

# --- the next request's bytes are its own -------------------------------------
my $two = 'PUT ' . presign($t, 'PUT', '/upload/video/two') . " HTTP/1.1\r\n"
    . "Host: 127.0.0.1:$t->{port}\r\nContent-Length: 40000\r\n"
    . "Connection: close\r\n\r\n" . substr $body, 0, 40_000;
my $one = 'PUT ' . presign($t, 'PUT', '/upload/video/one') . " HTTP/1.1\r\n"
    . "Host: 127.0.0.1:$t->{port}\r\nContent-Length: $size\r\n\r\n";
my $in = raw($t, $one . $body . $two);
my @assets = $in =~ /^reel-asset: (\S+)/mg;
is(scalar @assets, 2, 'two in a pipeline') or diag $in;
is(source($assets[0]), sha256_hex($body), 'the first is what was sent');
is(source($assets[1]), sha256_hex(substr $body, 0, 40_000),
    'and the second');

# --- any offset, any pace ------------------------------------------------------
my ($url, $s, $r, $at);
for my $pace (7_001, 16_384, 100_000) {
    $url = create($t, $size);
    $at = 12_345;
    $r = patch($t, $url, 0, substr $body, 0, $at);
    has_status($r, 204, undef, "$pace: a beginning of odd length");

    $s = Tus::held_patch($t, $url, $at, $size - $at, '');
    my $sent = 0;
    for my $part (unpack "(a$pace)*", substr $body, $at, 2_000_000) {
        $sent += syswrite $s, $part;
        sleep 0.001 if $sent % 3 == 0;
    }
    is($sent, 2_000_000, "$pace: the socket takes it");
    sleep 0.2;
    close $s;
    sleep 0.2;
    is(offset($t, $url), $at + $sent, "$pace: every byte before a cut is kept");

    $r = patch($t, $url, $at + $sent, substr $body, $at + $sent);
    has_status($r, 204, undef, "$pace: the rest");
    is(source($r->{headers}{'reel-asset'}), sha256_hex($body),
        "$pace: the bytes are right");
}

# --- taken over in the midst of it ---------------------------------------------
$url = create($t, $size);
$s = Tus::held_patch($t, $url, 0, $size, substr $body, 0, 3_000_000);
$at = offset($t, $url);
cmp_ok($at, '<=', 3_000_000, 'HEAD takes over, and tells no more than came');
$r = patch($t, $url, $at, substr $body, $at);
if ($at == 0 && $r->{status} == 409) {
    # HEAD was there before the one it should have taken over
    $at = offset($t, $url);
    $r = patch($t, $url, $at, substr $body, $at);
}
has_status($r, 204, undef, 'another goes on from there');
is(source($r->{headers}{'reel-asset'}), sha256_hex($body),
    'to the right bytes');
close $s;

# --- a sender that stops is waited for no longer than others --------------------
$url = create($t, $size);
$s = Tus::held_patch($t, $url, 0, $size, substr $body, 0, 3_000_000);
$s->timeout(10);
my $answer = do { local $SIG{ALRM} = sub { die "no answer\n" }; alarm 10;
    my $all = join '', <$s>; alarm 0; $all };
like($answer, qr{^HTTP/1.1 408 |^$}, 'it times out');
is(offset($t, $url), 3_000_000, 'and what came is kept');

done_testing;
