# tus: what a cut, a stalled or a killed request leaves, and how soon another
# goes on with it
# last: a deadline is measured, with slack for a busy machine
use strict;
use warnings;
use Digest::SHA qw(sha256_hex);
use IO::Socket::INET;
use Test::More;
use Time::HiRes qw(sleep time);
use lib 't/lib';
use Reel;
use Tus;

my $t = Reel->new(workers => 2, http => 'reel_upload_expires 2s;');
my $body = join '', map { chr($_ % 253) } 1 .. 2_000_000;
my ($url, $r, $s, $begin);

sub held { my ($at) = @_; return Tus::held_patch($t, $url, $at,
    2_000_000 - $at, substr $body, $at, 500_000); }

sub closed {
    my ($sock) = @_;
    local $SIG{ALRM} = sub { die "still open\n" };
    alarm 10;
    my $n = sysread $sock, my $buf, 100;
    alarm 0;
    return !$n;
}

# --- cut ---------------------------------------------------------------------
$url = create($t, 2_000_000);
$s = held(0);
sleep 0.3;
close $s;
sleep 0.3;
is(offset($t, $url), 500_000, 'every byte before a cut is kept');

# --- taken over --------------------------------------------------------------
# which of two workers has which connection is chance: often enough
for my $round (1 .. 10) {
    $url = create($t, 2_000_000);
    $s = held(0);
    sleep 0.2;
    $begin = time;
    my $at = offset($t, $url);
    my $took = time - $begin;
    cmp_ok($took, '<', 3, "HEAD takes over, round $round")
        or diag $took;
    is($at, 500_000, 'and has all bytes that came');
    ok(closed($s), 'the other one is closed');
    $begin = time;
    $r = patch($t, $url, $at, substr $body, $at);
    has_status($r, 204, undef, 'it goes on');
    is(sha256_hex(slurp(asset_source($t, $r->{headers}{'reel-asset'}))),
        sha256_hex($body), 'to the right bytes');
}

# PATCH itself, and DELETE
$url = create($t, 2_000_000);
$s = held(0);
sleep 0.2;
$r = patch($t, $url, 500_000, substr $body, 500_000);
has_status($r, 204, undef, 'PATCH takes over');
is(sha256_hex(slurp(asset_source($t, $r->{headers}{'reel-asset'}))),
    sha256_hex($body), 'with the right bytes');
ok(closed($s), 'the other one is closed');
$url = create($t, 2_000_000);
$s = held(0);
sleep 0.2;
has_status(tus($t, 'DELETE', $url), 204, undef, 'DELETE takes over');
ok(closed($s), 'the other one is closed');

# --- a worker is killed --------------------------------------------------------
# what lay in its memory is lost: less than a buffer
my $long = $body x 2;
$url = create($t, length $long);
$s = Tus::held_patch($t, $url, 0, length $long, substr $long, 0, 2_500_000);
sleep 0.5;
kill 'KILL', $t->workers;
ok(closed($s), 'killed');
Reel::wait_for(sub { $t->workers == 2 }, 'new workers');
$begin = time;
my $at = offset($t, $url);
cmp_ok(time - $begin, '<', 5, 'another worker has it at once');
cmp_ok($at, '>=', 2_500_000 - 1_048_576, 'what was written is there');
cmp_ok($at, '<=', 2_500_000, 'and no more');
$r = patch($t, $url, $at, substr $long, $at);
is(sha256_hex(slurp(asset_source($t, $r->{headers}{'reel-asset'}))),
    sha256_hex($long), 'it is completed');

# --- a reload ------------------------------------------------------------------
$url = create($t, 2_000_000);
$s = held(0);
sleep 0.2;
my %old = map { $_ => 1 } $t->workers;
$t->reload;
Reel::wait_for(sub { grep { !$old{$_} } $t->workers }, 'new workers');
sleep 0.2;
$begin = time;
is(offset($t, $url), 500_000, 'a new worker asks an old one to let go');
cmp_ok(time - $begin, '<', 3, 'and need not wait');
ok(closed($s), 'the old one is closed');

# --- expiry --------------------------------------------------------------------
$url = create($t, 10);
has_status(patch($t, $url, 0, 'abc'), 204, undef, 'in time');
sleep 1.2;
has_status(patch($t, $url, 3, 'abc'), 204, undef, 'each change gives more');
sleep 1.2;
is(offset($t, $url), 6, 'still there');
sleep 1.5;
$r = tus($t, 'HEAD', $url);
is($r->{status}, 410, 'expired');
ok(!defined $r->{headers}{'upload-offset'}, 'no offset');
has_status(patch($t, $url, 6, 'abcd'), 410, 'UploadExpired', 'PATCH');
has_status(tus($t, 'DELETE', $url), 410, 'UploadExpired', 'DELETE');
my ($id) = $url =~ m{([^/]+)$};
ok(!-e "$t->{dir}/store/uploads/$id/data", 'its bytes are gone');

unlike($t->log, qr/\[(emerg|crit)\]|\[(error|alert)\].* reel:/,
    'nothing in the log');

# --- the end of a worker -----------------------------------------------------
$url = create($t, 3_000_000);
my @old = sort $t->workers;
$s = held_patch($t, $url, 0, 3_000_000, substr $body, 0, 1_500_000);
sleep 0.1;
$t->reload;
wait_for(sub { "@old" ne join ' ', sort $t->workers }, 'reload');
sleep 0.3;
print $s substr $body, 1_500_000, 400_000;
my $answer = '';
sysread $s, $answer, 4096;
like($answer, qr{^HTTP/1.1 204 }, 'a long PATCH does not hold the old worker');
my ($came) = $answer =~ /^Upload-Offset: (\d+)\r/m;
cmp_ok($came // 0, '>=', 1_500_000, 'it is told how far it came');
is(offset($t, $url), $came, 'that is there');
close $s;
wait_for(sub { my %new = map { $_ => 1 } $t->workers;
    !grep { $new{$_} } @old }, 'the old workers end');

done_testing();
