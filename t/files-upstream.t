#!/usr/bin/perl

# reel_play_upstream: movies behind an internal location, read by ranges.

use strict;
use warnings;
use lib 't/lib';
use Film qw(ffmpeg stream);
use File::Path qw(make_path);
use IO::Socket::INET;
use Reel;
use Test::More;
use Time::HiRes qw(sleep);

my $far = Reel::free_port();
my $bad = Reel::free_port();
my $t = Reel->new(idle => 1, zone => 1, http => "
    reel_master_keys master.json;
    log_format far '\$request_method \$uri \$http_range \$status \$connection';
    proxy_cache_path CACHE keys_zone=kept:1m;
    upstream far { server 127.0.0.1:$far; keepalive 4; }
    server { listen 127.0.0.1:$far; root FAR; access_log FAR.log far;
        location /no/ { return 403; } location /ill/ { return 503; } }",
    conf => "
    location /films/ { reel_play_files; reel_play_upstream /inner/; }
    location /local/ { alias FAR/; reel_play_files; }
    location /ts/ { reel_play_files; reel_play_upstream /inner/;
        reel_hls_segments ts; }
    location /both/ { reel_play_files; reel_play_upstream /inner/;
        reel_hls_segments ts; reel_vod_compat on; }
    location /both-here/ { alias FAR/; reel_play_files; reel_hls_segments ts;
        reel_vod_compat on; }
    location /sealed/ { reel_play_files; reel_play_upstream /inner/;
        reel_hls_segments ts; reel_encryption sample-aes; }
    location /sealed-here/ { alias FAR/; reel_play_files;
        reel_hls_segments ts; reel_encryption sample-aes; }
    location /locked/ { reel_play_files; reel_play_upstream /inner/;
        reel_encryption cenc; }
    location /locked-here/ { alias FAR/; reel_play_files;
        reel_encryption cenc; }
    location /tight/ { reel_play_files; reel_play_upstream /inner-tight/; }
    location /inner-tight/ { internal; proxy_pass http://far/;
        proxy_max_temp_file_size 0; proxy_buffers 2 4k;
        proxy_busy_buffers_size 4k; }
    location /kept/ { reel_play_files; reel_play_upstream /inner-kept/; }
    location /inner-kept/ { internal; proxy_pass http://far/;
        proxy_http_version 1.1; proxy_set_header Connection \"\";
        proxy_cache kept; proxy_cache_valid 206 1h;
        proxy_cache_key \$uri\$http_range;
        proxy_set_header Range \$http_range; }
    location /long/ { reel_play_files; reel_play_upstream /bad-long/;
        limit_rate 200k; }
    location /bad-long/ { internal; proxy_pass http://127.0.0.1:$bad/; }
    location /broken/ { reel_play_files; reel_play_upstream /bad/; }
    location /inner/ { internal; proxy_pass http://far/;
        proxy_http_version 1.1; proxy_set_header Connection \"\"; }
    location /bad/ { internal; proxy_pass http://127.0.0.1:$bad/;
        proxy_read_timeout 1s; }");
my $dir = "$t->{dir}/far";
make_path("$dir/a b");
$t->{o}{$_} =~ s/FAR/$dir/g, $t->{o}{$_} =~ s/CACHE/$t->{dir}\/cache/
    for 'conf', 'http';

sub film {
    my ($to, $s, @more) = @_;
    return Film::film($to, '-f', 'lavfi', '-i',
        "testsrc2=size=320x180:rate=10:duration=$s", '-f', 'lavfi', '-i',
        "sine=frequency=440:sample_rate=48000:duration=$s",
        qw(-c:v libx264 -preset veryfast -g 20 -bf 2 -pix_fmt yuv420p -c:a aac
        -b:a 64k), @more);
}
film("$dir/late.mp4", 14, qw(-b:v 1M));
film("$dir/a b/late.mp4", 8, qw(-b:v 300k));
film("$dir/a b/first.mp4", 14, '-movflags', '+faststart');
film("$dir/dense.mp4", 8, qw(-c:v rawvideo -c:v libx264 -qp 0));
$t->nginx_start;

# since the last time, but not whether it is still the same; one worker logs a
# request before it takes the next
my $mark = 0;
sub asked {
    my $name = '/mark' . ++$mark;
    http({ port => $far }, 'GET', $name);
    my @lines;
    for (1 .. 500) {
        @lines = split /\n/, slurp("$dir.log");
        last if grep { / \Q$name\E / } @lines;
        sleep 0.01;
    }
    spew("$dir.log", '');
    return grep { !m{ /mark| bytes=0-1 } } @lines;
}

my $base = "http://127.0.0.1:$t->{port}";
for my $name ('a%20b/first.mp4', 'late.mp4', 'dense.mp4') {
    my ($far_url, $near) = ("/films/$name", "/local/$name");
    asked();
    my $x = http($t, 'GET', "$far_url/master.m3u8");
    has_status($x, 200, undef, $name);
    my @got = asked();
    is(scalar @got, $name =~ /first/ ? 1 : 2,
        "$name: requests for its index: " . join ' | ', @got);
    my ($list) = $x->{body} =~ m{^(v180~\w{10}/media\.m3u8)}m;
    my ($here) = http($t, 'GET', "$near/master.m3u8")->{body}
        =~ m{^(v180~\w{10}/media\.m3u8)}m;
    for my $pair (['v180', $list, $here]) {
        (my $a1 = $list) =~ s/v180~/a1~/;
        (my $b1 = $here) =~ s/v180~/a1~/;
        for my $l ([$list, $here], [$a1, $b1]) {
            my $wrong = 0;
            for my $n ('init.mp4', '0.m4s', '1.m4s') {
                (my $u = $l->[0]) =~ s/media\.m3u8/$n/;
                (my $v = $l->[1]) =~ s/media\.m3u8/$n/;
                asked();
                my $got = http($t, 'GET', "$far_url/$u");
                my @asked = asked();
                my $want = http($t, 'GET', "$near/$v");
                $wrong++ if $got->{status} != 200
                    || $got->{body} ne $want->{body}
                    || @asked != ($n eq 'init.mp4' ? 0 : 1);
                my $h = http($t, 'HEAD', "$far_url/$u");
                $wrong++ if $h->{headers}{'content-length'}
                    != length $want->{body};
                for (1 .. 4) {
                    my $from = int rand length $want->{body};
                    my $to = $from + int rand 200000;
                    my $p = http($t, 'GET', "$far_url/$u",
                        headers => { Range => "bytes=$from-$to" });
                    $wrong++ if $p->{status} != 206 || $p->{body} ne substr
                        $want->{body}, $from, $to - $from + 1;
                }
            }
            is($wrong, 0, "$name: $l->[0]: as of the file itself");
        }
    }
    is(stream("$base$far_url/master.m3u8", 'v'), stream("$dir/" . $name =~
        s/%20/ /r, 'v'), "$name: its pictures");
}
for (['tight', 'dense', 'v180', 'm4s', 1], ['kept', 'dense', 'v180', 'm4s', 1],
    ['kept', 'dense', 'v180', 'm4s', 0], ['kept', 'late', 'v180', 'ts', 1],
    ['films', 'late', 'a1', 'ts', 1], ['films', 'late', 'v180', 'ts', 1])
{
    my ($where, $film, $r, $kind, $n) = @$_;
    http($t, 'GET', "/$where/$film.mp4/$r/init.mp4");
    asked();
    my @x = map { http($t, 'GET', "/$_/$film.mp4/$r/0.$kind", secs => 10) }
        $where, 'local';
    ok($x[0]{body} eq $x[1]{body}, "$where: $film.mp4/$r/0.$kind");
    is(scalar(my @asked = asked()), $n, '… its requests');
}

# pictures and sound in one segment are read by a request each, at once
for my $film ('late', 'dense') {
    http($t, 'GET', "/both/$film.mp4/master.m3u8");
    asked();
    my @x = map { http($t, 'GET', "/$_/$film.mp4/seg-1-v1-a1.ts", secs => 10) }
        'both', 'both-here';
    has_status($x[0], 200, undef, "$film: both in one segment");
    ok($x[0]{body} eq $x[1]{body}, '… as of the file itself');
    is(scalar(my @asked = asked()), 2, '… its requests');
}

# frames whose index is at the end of the sample are not read backwards
ffmpeg('-f', 'lavfi', '-i', 'testsrc2=size=160x90:rate=25:duration=4,'
    . 'noise=alls=60:allf=t', qw(-c:v libvpx-vp9 -cpu-used 5 -deadline good
    -auto-alt-ref 1 -lag-in-frames 16 -g 100 -b:v 2M -pix_fmt yuv420p),
    "$dir/vp9.mp4");
{
    my ($r) = http($t, 'GET', '/locked/vp9.mp4/master.m3u8')->{body}
        =~ m{^(v\d+)~}m;
    asked();
    my @x = map { http($t, 'GET', "/$_/vp9.mp4/$r/0.m4s", secs => 20) }
        'locked', 'locked-here';
    is($x[0]{status}, 200, 'VP9, encrypted: ' . length $x[0]{body});
    is(length $x[0]{body}, length $x[1]{body}, '… as long as of the file');
    cmp_ok(scalar(my @asked = asked()), '<=', 2, '… its requests');
}

# what is left of an answer that is not wanted does not hold the connection
my @two = split /(?=HTTP\/1\.1 )/, raw($t, join '', map {
    "GET /films/dense.mp4/v180/0.m4s HTTP/1.1\r\nHost: a\r\n$_\r\n" }
    "Range: bytes=0-99\r\n", "Range: bytes=5-9\r\nConnection: close\r\n");
is(scalar(grep { /^HTTP\/1\.1 206 / } @two), 2, 'two ranges on a connection');

like(http($t, 'GET', '/ts/late.mp4/v180/media.m3u8')->{body}, qr/^[^#]*0\.ts/m,
    'transport streams');
is(http($t, 'GET', '/films/late.mp4/v180/0.ts')->{body},
    http($t, 'GET', '/local/late.mp4/v180/0.ts')->{body}, '… byte by byte');

# samples of one byte that lie apart, each in a chunk of its own: more than one
# read gathers
ffmpeg('-f', 'lavfi', '-i', 'sine=sample_rate=96000:duration=7',
    qw(-map 0 -map 0 -c:a aac), "$dir/apart.mp4");
my $apart = slurp("$dir/apart.mp4");
for (my $at = 0; ($at = index $apart, 'stsz', $at) >= 0; $at += 16) {
    my $n = unpack 'N', substr $apart, $at + 12, 4;
    substr($apart, $at + 16, 4 * $n) = pack('N', 1) x $n;
}
spew("$dir/apart.mp4", $apart);
# the same in the other order: each is before the one that was read
for (my $at = 0; ($at = index $apart, 'stco', $at) >= 0; $at += 16) {
    my $n = unpack 'N', substr $apart, $at + 8, 4;
    substr($apart, $at + 12, 4 * $n) = pack 'N*',
        reverse unpack 'N*', substr $apart, $at + 12, 4 * $n;
}
spew("$dir/behind.mp4", $apart);
for my $file ('apart', 'behind') {
    for (['ts', 'local'], ['sealed', 'sealed-here']) {
        my @x = map { http($t, 'GET', "/$_/$file.mp4/a1/0.ts", secs => 20) }
            @$_;
        is($x[0]{status}, 200, "$_->[0]: $file: bytes that lie apart");
        cmp_ok(length $x[0]{body}, '>', 10_000, '… all of them');
        ok($x[0]{body} eq $x[1]{body}, '… as of the file itself');
    }
}

# --- what the upstream says ------------------------------------------------------

has_status(http($t, 'GET', '/films/none.mp4/master.m3u8'), 404, 'NOT_FOUND',
    'not there');
has_status(http($t, 'GET', '/films/no/x.mp4/master.m3u8'), 403,
    'UPSTREAM_FAILED', 'forbidden');
has_status(http($t, 'GET', '/films/ill/x.mp4/master.m3u8'), 503,
    'UPSTREAM_FAILED', 'ill');
has_status(http($t, 'GET', '/broken/x.mp4/master.m3u8'), 502,
    'UPSTREAM_FAILED', 'nobody listens');
spew("$dir/text.mp4", 'no film' x 100);
spew("$dir/empty.mp4", '');
has_status(http($t, 'GET', "/films/$_.mp4/master.m3u8"), 422, 'BAD_FILE', $_)
    for 'text', 'empty';
has_status(http($t, 'GET', '/inner/late.mp4'), 404, undef,
    'the inner location is not seen');

# --- a film that is replaced ------------------------------------------------------

my ($old) = http($t, 'GET', '/films/late.mp4/master.m3u8')->{body}
    =~ m{^(v180~\w{10})/}m;
film("$dir/new.mp4", 6);
rename "$dir/new.mp4", "$dir/late.mp4" or die;
has_status(http($t, 'GET', "/films/late.mp4/$old/1.m4s"), 404, 'NOT_FOUND',
    'a segment of the old one is not made of the new one');
sleep 1.1;
my ($new) = http($t, 'GET', '/films/late.mp4/master.m3u8')->{body}
    =~ m{^(v180~\w{10})/}m;
isnt($new, $old, 'the new one has a version of its own');

# --- answers that are none --------------------------------------------------------

my $film = slurp("$dir/a b/first.mp4");
my $size = length $film;
sub serve {     # one server of crooked answers: f gets first, last
    my ($f) = @_;
    my $s = IO::Socket::INET->new(Listen => 8, ReuseAddr => 1,
        LocalAddr => "127.0.0.1:$bad") or die "listen: $!";
    my $pid = fork // die;
    return ($pid, $s) if $pid;
    while (my $c = $s->accept) {
        my $in = '';
        while ($in !~ /\r\n\r\n/) { sysread($c, $in, 4096, length $in) or last }
        my ($a, $b) = $in =~ /^Range: bytes=(\d+)-(\d+)/m;
        $b = $size - 1 if defined $b && $b >= $size;
        $f->($c, $a, $b);
        close $c;
    }
    POSIX::_exit(0);
}
sub part {
    my ($a, $b, %o) = @_;
    my $body = $o{body} // substr $film, $a, $b - $a + 1;
    my $len = $o{length} // length $body;
    return "HTTP/1.1 206 Partial Content\r\nContent-Length: $len\r\n"
        . 'Content-Range: ' . ($o{range} // "bytes $a-$b/$size")
        . "\r\nETag: \"" . ($o{etag} // 1) . "\"\r\n\r\n$body";
}
require POSIX;
my %crooked = (
    'the whole for a range' => sub { my ($c) = @_; print $c
        "HTTP/1.1 200 OK\r\nContent-Length: $size\r\n\r\n$film" },
    'another range' => sub { my ($c, $a, $b) = @_;
        print $c part($a, $b, range => 'bytes 5-' . ($b + 5) . "/$size") },
    'no Content-Range' => sub { my ($c, $a, $b) = @_;
        (my $x = part($a, $b)) =~ s/Content-Range[^\n]*\n//; print $c $x },
    'cut short' => sub { my ($c, $a, $b) = @_;
        print $c part($a, $b, body => substr($film, $a, 1000),
            length => $b - $a + 1) },
    'more than it says' => sub { my ($c, $a, $b) = @_;
        (my $x = part($a, $b)) =~ s/Content-Length[^\n]*\n/Transfer-Encoding: chunked\r\n/;
        $x =~ s/\r\n\r\n.*/\r\n\r\n/s;
        my $n = $b - $a + 2;
        print $c $x, sprintf("%x\r\n", $n), 'x' x $n, "\r\n0\r\n\r\n" },
    'malformed' => sub { my ($c, $a, $b) = @_;
        print $c part($a, $b, range => 'bytes x-y/z') },
);
for my $name (sort keys %crooked) {
    my ($pid, $s) = serve($crooked{$name});
    has_status(http($t, 'GET', '/broken/f.mp4/master.m3u8', secs => 10), 502,
        'UPSTREAM_FAILED', $name);
    like($t->log, qr/"\/bad\/f\.mp4" is not taken: .*\Q$name\E/, "$name: logged");
    kill 'KILL', $pid;
    waitpid $pid, 0;
    close $s;
}
# … and some that are, of one server: in chunks; of a film that is replaced
# while its index is read; cut short behind the index, once
{
    my $late = slurp("$dir/a b/late.mp4");
    my $asked = 0;
    my ($pid, $s) = serve(sub {
        my ($c, $a, $b) = @_;
        $asked++;
        my $n = length $late;
        $b = $n - 1 if $b >= $n;
        my $etag = $asked == 1 ? 'old' : 'new';
        my $body = substr $late, $a, $b - $a + 1;
        my $cut = $asked == 4 ? 20_000 : length $body;
        print $c "HTTP/1.1 206 P\r\nTransfer-Encoding: chunked\r\n"
            . "Content-Range: bytes $a-$b/$n\r\nETag: \"$etag\"\r\n\r\n";
        printf $c "%x\r\n%s\r\n", length, $_
            for substr($body, 0, $cut) =~ /(.{1,9999})/sg;
        print $c "0\r\n\r\n" if $cut == length $body;
    });
    my $m = http($t, 'GET', '/broken/new.mp4/master.m3u8', secs => 10);
    has_status($m, 200, undef, 'replaced while its index is read');
    my $got = http($t, 'GET', '/broken/new.mp4/v180/0.m4s', secs => 10);
    has_status($got, 200, undef, 'cut short, and asked for the rest');
    ok($got->{body} eq http($t, 'GET', '/local/a%20b/late.mp4/v180/0.m4s')
        ->{body}, '… all of it');
    kill 'KILL', $pid;
    waitpid $pid, 0;
    close $s;
}
# … whose end never comes, of an error
{
    my @held;
    my ($pid, $s) = serve(sub {
        my ($c) = @_;
        print $c "HTTP/1.1 404 P\r\nContent-Length: 90000\r\n\r\n", 'x' x 9000;
        $c->flush;
        open $held[@held], '>&', $c;
    });
    has_status(http($t, 'GET', '/long/x.mp4/master.m3u8', secs => 10), 404,
        'NOT_FOUND', 'an error without an end');
    kill 'KILL', $pid;
    waitpid $pid, 0;
    close $s;
}
# … that comes slowly, while limit_rate holds the client back
{
    my $dense = slurp("$dir/dense.mp4");
    $size = length $dense;
    my ($pid, $s) = serve(sub {
        my ($c, $a, $b) = @_;
        my $body = substr $dense, $a, $b - $a + 1;
        $c->autoflush(1);
        print $c "HTTP/1.1 206 P\r\nContent-Length: " . length($body)
            . "\r\nContent-Range: bytes $a-$b/$size\r\nETag: \"1\"\r\n\r\n";
        for ($body =~ /(.{1,10000})/sg) {
            print $c $_ or last;
            sleep 0.02 if length $body > 300_000;
        }
    });
    my %part = (secs => 10, headers => { Range => 'bytes=0-300000' });
    http($t, 'GET', '/long/dense.mp4/master.m3u8', secs => 10);
    my @x = map { http($t, 'GET', "/$_/dense.mp4/v180/0.m4s", %part) }
        'long', 'local';
    is($x[0]{status}, 206, 'a client that is held back');
    ok($x[0]{body} eq $x[1]{body}, '… has all of it');
    kill 'KILL', $pid;
    waitpid $pid, 0;
    close $s;
}
{
    my ($pid, $s) = serve(sub { my ($c, $a, $b) = @_; print $c
        "HTTP/1.1 206 P\r\nContent-Length: 9\r\n"; sleep 30 });
    has_status(http($t, 'GET', '/broken/f.mp4/master.m3u8', secs => 10), 504,
        'UPSTREAM_FAILED', 'it stalls');
    # who goes away meanwhile leaves nothing behind
    raw($t, "GET /broken/f.mp4/master.m3u8 HTTP/1.1\r\nHost: a\r\n\r\n",
        cut => 1) for 1 .. 3;
    kill 'KILL', $pid;
    waitpid $pid, 0;
    close $s;
}
sleep 1.2;
is(http($t, 'GET', '/films/dense.mp4/master.m3u8')->{status}, 200,
    'it goes on');
is(scalar(() = $t->log =~ /\[(?:alert|emerg)\]/g), 0, 'no alerts');

done_testing();
