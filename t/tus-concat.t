# tus: parallel uploads, joined by a final one
use strict;
use warnings;
use Digest::SHA qw(sha256_hex);
use Test::More;
use lib 't/lib';
use Reel;
use Tus;

my $t = Reel->new(redis => 1, http => 'reel_upload_max_size 5000000;
    large_client_header_buffers 4 64k;');
my @body = map { my $n = $_; join '', map { chr(($_ * $n) % 251) }
    1 .. 300_000 * $n } 1 .. 3;

sub partial {
    my ($body, %o) = @_;
    my $url = create($t, length $body, %o, headers => {
        'Upload-Concat' => 'partial', %{ $o{headers} || {} } });
    my $r = patch($t, $url, 0, $body);
    die $r->{raw} if $r->{status} != 204;
    return $url;
}

sub final {
    my ($urls, %o) = @_;
    my $target = $o{target} // presign($t, 'POST', $o{path}
        // '/upload/video/', query => $o{query}, %{ $o{as} || {} });
    return tus($t, 'POST', $target, body => '', headers => {
        'Upload-Concat' => "final;$urls", %{ $o{headers} || {} } });
}

my @part = map { partial($_) } @body;
my $r = tus($t, 'HEAD', $part[0]);
has_header($r, 'Upload-Concat', qr/^partial$/, 'a partial one');
has_header($r, 'Upload-Offset', qr/^300000$/, 'a partial one');
is_deeply([ $t->files('assets') ], [], 'makes no asset');

my $target = presign($t, 'POST', '/upload/video/');
my $m = metadata(filename => 'film.mp4', filetype => 'video/mp4');
my $urls = "$part[0] http://127.0.0.1:$t->{port}$part[1] $part[2]";
$r = final($urls, target => $target, headers => { 'Upload-Metadata' => $m });
has_status($r, 201, undef, 'final');
my $asset = $r->{headers}{'reel-asset'};
is(sha256_hex(slurp(asset_source($t, $asset))), sha256_hex(join '', @body),
    'the bytes of all, in their order');
my $rq = json(slurp(asset_source($t, $asset) =~ s/source$/request.json/r));
is($rq->{name}, 'film.mp4', 'its own metadata');
is($rq->{size}, 1_800_000, 'its size');
Reel::wait_for(sub { $t->redis('ZSCORE', 'reel1:{r0}:jobs', "$asset.1") },
    'the job is queued');

my $url = $r->{headers}{location};
my $h = tus($t, 'HEAD', $url);
has_status($h, 200, undef, 'HEAD of it');
is($h->{headers}{'upload-concat'}, "final;$urls", 'Upload-Concat');
has_header($h, 'Upload-Offset', qr/^1800000$/, 'HEAD of it');
has_header($h, 'Upload-Length', qr/^1800000$/, 'HEAD of it');
is($h->{headers}{'upload-metadata'}, $m, 'metadata');
has_status(patch($t, $url, 1_800_000, 'x'), 403, 'UploadFinal', 'PATCH of it');

# --- again -------------------------------------------------------------------
$r = final($urls, target => $target, headers => { 'Upload-Metadata' => $m });
has_status($r, 201, undef, 'the same request');
is($r->{headers}{location}, $url, 'tells of the same upload');
is($r->{headers}{'reel-asset'}, $asset, 'and asset');
$r = final("$part[2] $part[0] $part[0]", target => $target);
has_status($r, 201, undef, 'parts are used again, and twice');
isnt($r->{headers}{'reel-asset'}, $asset, 'for another asset');
is(sha256_hex(slurp(asset_source($t, $r->{headers}{'reel-asset'}))),
    sha256_hex($body[2] . $body[0] . $body[0]), 'of these bytes');

# equal requests at once
my $p = join ' ', map { partial('p' x 10_000) } 1 .. 20;
$target = presign($t, 'POST', '/upload/video/');
my @kids;
for my $n (1 .. 6) {
    my $pid = open my $from, '-|';
    if (!$pid) {
        my $x = final($p, target => $target);
        print "$x->{status} $x->{headers}{'reel-asset'}\n";
        require POSIX;
        $| = 1;
        close STDOUT;
        POSIX::_exit(0);
    }
    push @kids, $from;
}
my %said;
for (@kids) { my $line = <$_>; chomp $line; $said{$line}++; }
is(scalar(keys %said), 1, 'six equal requests make one asset')
    or diag explain \%said;
like((keys %said)[0], qr/^201 [0-9a-z]{26}$/, 'and all hear of it');

# --- an empty one, and deferred lengths ----------------------------------------
$r = final(partial(''));
has_status($r, 201, undef, 'of nothing');
is(-s asset_source($t, $r->{headers}{'reel-asset'}), 0, 'is empty');
my $d = create($t, undef, headers => { 'Upload-Concat' => 'partial',
    'Upload-Defer-Length' => 1 });
has_status(patch($t, $d, 0, 'abc'), 204, undef, 'deferred');
has_status(final($d), 400, 'InvalidRequest', 'without a length');
has_status(patch($t, $d, 3, 'd', 'Upload-Length' => 4), 204, undef, 'length');
$r = final($d);
is(slurp(asset_source($t, $r->{headers}{'reel-asset'})), 'abcd', 'joined');

# --- what the signed URL says ---------------------------------------------------
my $q = { 'reel-max-bytes' => 1000, 'reel-type' => 'video/mp4',
    'reel-sha256' => sha256_hex('ab' x 300) };
my @signed = map { partial('ab' x 100, query => $q) } 1 .. 3;
$r = final("@signed", query => $q, headers => { 'Upload-Metadata' =>
    metadata(filetype => 'video/mp4') });
has_status($r, 201, undef, 'type and hash are those of the whole');
has_status(final("@signed", query => $q), 400, 'InvalidRequest', 'no type');
has_status(final("@signed @signed", query => { 'reel-max-bytes' => 1000 }),
    413, 'EntityTooLarge', 'too large together');
has_status(final("@signed[0,1]", query => $q, headers => {
    'Upload-Metadata' => metadata(filetype => 'video/mp4') }), 400,
    'XAmzContentSHA256Mismatch', 'another hash');

# --- refused ---------------------------------------------------------------------
my @before = $t->files('uploads');

sub refused {
    my ($name, $r, $like) = @_;
    has_status($r, 400, $like ? 'InvalidRequest' : undef, $name);
    like($r->{body}, $like, "$name: says why") if $like;
    is_deeply([ $t->files('uploads') ], \@before, "$name: leaves nothing");
}

my $open = create($t, 10, headers => { 'Upload-Concat' => 'partial' });
my $whole = create($t, 10);
my $gone = partial('x');
my $empty = partial('');
tus($t, 'DELETE', $gone);
@before = $t->files('uploads');
refused('unfinished', final("$part[0] $open"), qr/upload 2 is not complete/);
refused('not partial', final("$part[0] $part[1] $whole"),
    qr/upload 3 is not a partial one/);
refused('aborted', final($gone), qr/upload 1 is no upload here/);
refused('complete', final($url), qr/upload 1 is not a partial one/);
refused('unknown', final('/upload/video/.uploads/' . '0' x 32),
    qr/upload 1 is no upload here/);
refused('no id', final('/upload/video/.uploads/../../x'),
    qr/upload 1 is no upload here/);
refused('no URL', final('/upload/video/x'), qr/upload 1 is not an upload's/);
refused('nothing', final(''), qr/upload 1 is not an upload's URL/);
refused('too many', final(join ' ', ($empty) x 257),
    qr/upload 257 is one too many/);
refused('with a length', final($part[0], headers => {
    'Upload-Length' => 300_000 }));
refused('with bytes', tus($t, 'POST', presign($t, 'POST', '/upload/video/'),
    body => 'x', headers => { 'Upload-Concat' => "final;$part[0]",
        'Content-Type' => $Tus::TYPE }));
refused('neither', tus($t, 'POST', presign($t, 'POST', '/upload/video/'),
    body => '', headers => { 'Upload-Concat' => 'half' }));
$r = tus($t, 'POST', presign($t, 'POST', '/upload/theirs/',
    key => $Reel::KEY2, secret => $Reel::SECRET2), body => '',
    headers => { 'Upload-Concat' => "final;$part[0]" });
refused("another project's", $r, qr/upload 1 is no upload here/);
has_status(patch($t, $part[0], 300_000, 'x'), 413, 'EntityTooLarge',
    'a complete part takes no more');

unlike($t->log, qr/\[(emerg|crit)\]|\[(error|alert)\].* reel:/,
    'nothing in the log');

done_testing();
