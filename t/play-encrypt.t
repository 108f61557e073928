#!/usr/bin/perl

# Encryption on the way out: other programs, given the key that is delivered,
# find in each scheme what lies in the clear copy, bit by bit.

use strict;
use warnings;
use lib 't/lib';
use Asset;
use MIME::Base64 qw(encode_base64 decode_base64);
use Reel;
use Test::More;

plan skip_all => 'no ffmpeg' if system('ffmpeg -version >/dev/null 2>&1');

my $t = Reel->new(idle => 1, http => 'reel_master_keys master.json;', conf => '
    location /play/ { reel_play; }
    location /ts/ { reel_play; reel_hls_segments ts; }
    location /cenc/ { reel_play; reel_encryption cenc;
        reel_drm clearkey widevine playready; }
    location /cbcs/ { reel_play; reel_encryption cbcs; }
    location /rot/ { reel_play; reel_encryption cenc; reel_key_rotation 1; }
    location /rotb/ { reel_play; reel_encryption cbcs; reel_key_rotation 2; }
    location /aes/ { reel_play; reel_encryption aes-128; }
    location /aests/ { reel_play; reel_encryption aes-128;
        reel_hls_segments ts; reel_key_rotation 1; }
    location /sats/ { reel_play; reel_encryption sample-aes;
        reel_hls_segments ts; reel_key_rotation 2; }
    location /slow/ { reel_play; reel_encryption cbcs; limit_rate 300k; }
    location /films/ { alias FILMS/; reel_play_files; }
    location /filmsts/ { alias FILMS/; reel_play_files;
        reel_hls_segments ts; }
    location /fcenc/ { alias FILMS/; reel_play_files; reel_encryption cenc; }
    location /fcbcs/ { alias FILMS/; reel_play_files; reel_encryption cbcs; }
    location /faes/ { alias FILMS/; reel_play_files;
        reel_encryption aes-128; reel_hls_segments ts; }
    location /fsats/ { alias FILMS/; reel_play_files;
        reel_encryption sample-aes; reel_hls_segments ts; }
    location /other/ { reel_play; reel_encryption cbcs; reel_key_delivery off;
        reel_key_uri "skd://{asset}/{kid}/{period}"
            com.apple.streamingkeydelivery; reel_drm widevine;
        reel_license_uri https://license.example/; }');
my $d = $t->{dir};
$t->{o}{conf} =~ s/FILMS/$d\/films/g;
$t->nginx_start;

my $id = Asset::new_id();
(my $tool = $Asset::TOOL) =~ s/mkasset$/mkremux/;

my $frag = '-movflags +frag_every_frame+empty_moov+default_base_moof'
    . '+negative_cts_offsets';
sub run { my ($c) = @_; my $o = `$c 2>&1`; die "$c: $o" if $?; return $o; }
my $gop = '-preset veryfast -bf 2 -g 20 -keyint_min 20 -sc_threshold 0';
my $src = '-f lavfi -i testsrc2=s=320x180:r=10:d=14';
run("ffmpeg -v error $src -f lavfi -i sine=r=44100:d=14 "
    . "-map 0:v -c:v libx264 $gop -b:v 900k $frag $d/v.mp4 "
    . "-map 0:v -c:v libx264 $gop -b:v 600k -x264-params slices=4 $frag $d/s.mp4 "
    . "-map 0:v -c:v libx265 -tag:v hvc1 -preset ultrafast -b:v 600k "
    . "-x265-params log-level=none:keyint=20:min-keyint=20:scenecut=0:open-gop=0 "
    . "$frag $d/h.mp4 -map 0:v -pix_fmt yuv420p -c:v libvpx-vp9 -cpu-used 8 "
    . "-deadline realtime -b:v 300k -g 20 -keyint_min 20 $frag $d/p.mp4 "
    . "-map 1:a -c:a aac -b:a 64k $frag $d/a.mp4");
run("$tool $d/store $id 7 v=$d/v.mp4 s=$d/s.mp4 h=$d/h.mp4 p=$d/p.mp4 a=$d/a.mp4");

sub fetch {
    my ($path, %o) = @_;
    my $x = http($t, 'GET', $path, %o);
    is($x->{status}, 200, $path) or diag $x->{body};
    return $x->{body};
}

# from a pipe: of a file it takes the last fragment's subsamples for all
sub hash {
    my ($file, $options) = @_;
    return run("ffmpeg -v error $options -i - -map 0 -c copy "
        . "-f streamhash -hash md5 - <$file | cat");
}

my %clear;
for my $r ('v', 's', 'h', 'p', 'a') {
    $clear{$r}{$_} = fetch("/play/$id/$r/$_")
        for 'init.mp4', map { "$_.m4s" } 0 .. 2;
}

spew("$d/clear-v.mp4", $clear{v}{'init.mp4'} . $clear{v}{'0.m4s'});

# cenc and cbcs: whole renditions by ffmpeg, with the key that is delivered
my %want;
for my $scheme ('cenc', 'cbcs') {
    my $mpd = fetch("/$scheme/$id/manifest.mpd");
    my $master = fetch("/$scheme/$id/master.m3u8");
    like($master, qr/^#EXT-X-SESSION-KEY:METHOD=SAMPLE-AES/m, 'session keys');
    my ($hash) = $mpd =~ /~([0-9a-f]{10})/;

    for my $r ('v', 's', 'h', 'p', 'a') {
        my $list = fetch("/$scheme/$id/$r~$hash/media.m3u8");
        my ($uri) = $list =~ /^#EXT-X-KEY:METHOD=(?:SAMPLE-AES|SAMPLE-AES-CTR),URI="([^":]+)"/m;
        like($uri, qr{^\.\./(video|audio)~$hash/0\.key$}, 'the URI of a key');
        (my $path = $uri) =~ s{^\.\.}{/$scheme/$id};
        my $x = http($t, 'GET', $path);
        is($x->{headers}{'cache-control'}, 'no-store', 'nobody keeps it');
        is(length $x->{body}, 16, '16 bytes');
        my $key = unpack 'H*', $x->{body};

        spew("$d/clear.mp4", join '', map { $clear{$r}{$_} }
            'init.mp4', map { "$_.m4s" } 0 .. 2);
        my %got = map { $_ => fetch("/$scheme/$id/$r~$hash/$_") }
            'init.mp4', map { "$_.m4s" } 0 .. 2;
        spew("$d/enc.mp4", join '', map { $got{$_} }
            'init.mp4', map { "$_.m4s" } 0 .. 2);
        my $want = $want{$r} //= hash("$d/clear.mp4", '');
        is(hash("$d/enc.mp4", "-decryption_key $key"), $want,
            "$scheme $r: decrypted");
        is(run("ffmpeg -v error -decryption_key $key -i - -f framemd5 - "
            . "<$d/enc.mp4 | grep -v '^#'"),
            run("ffmpeg -v error -i - -f framemd5 - <$d/clear.mp4 "
            . "| grep -v '^#'"),
            '… and the frames are the same') if $r ne 's' && $scheme eq 'cenc';

        # most of it is not what it was
        my ($m, $c) = ($got{'1.m4s'}, $clear{$r}{'1.m4s'});
        ok(index($m, substr $c, -200) < 0, 'no long stretch is clear')
            if $scheme eq 'cenc' || $r eq 'a';

        # ranges are slices
        my $wrong = 0;
        srand 7;
        for (1 .. 10) {
            my $from = int rand length $m;
            my $to = $from + int rand(length($m) - $from);
            my $y = http($t, 'GET', "/$scheme/$id/$r~$hash/1.m4s",
                headers => { Range => "bytes=$from-$to" });
            $wrong++ if $y->{status} != 206
                || $y->{body} ne substr $m, $from, $to - $from + 1;
        }
        is($wrong, 0, 'ranges');
        is(http($t, 'HEAD', "/$scheme/$id/$r~$hash/1.m4s")
            ->{headers}{'content-length'}, length $m, 'HEAD');
        ok(fetch("/slow/$id/$r~$hash/0.m4s") eq $got{'0.m4s'}, 'slowly')
            if $scheme eq 'cbcs' && $r eq 's';

        next if $r eq 'a' || $r eq 's';

        # I-frames: by themselves
        my $i = fetch("/$scheme/$id/$r~$hash/iframes.m3u8");
        my @n = $i =~ /^(\d+\.iframe\.m4s)$/mg;
        is(scalar @n, 7, 'seven I-frames');
        spew("$d/i.mp4", $got{'init.mp4'}
            . fetch("/$scheme/$id/$r~$hash/$n[2]"));
        my ($off, $len) = (fetch("/play/$id/$r/iframes.m3u8")
            =~ /^#EXT-X-BYTERANGE:(\d+)\@(\d+)\n\S*0\.m4s$/mg)[5, 4];
        spew("$d/ic.mp4", $clear{$r}{'init.mp4'}
            . substr $clear{$r}{'0.m4s'}, $off, $len);
        my $one = hash("$d/ic.mp4", '');
        like($one, qr/^0,v,MD5=/, 'an I-frame');
        is(hash("$d/i.mp4", "-decryption_key $key"), $one, '… encrypted');
    }

    # a license by KID
    my ($kid) = $mpd =~ /cenc:default_KID="([0-9a-f-]{36})"/;
    $kid =~ tr/-//d;
    my $url = sub { my $b = encode_base64($_[0], ''); $b =~ tr{+/=}{-_}d; $b };
    my $raw = pack 'H*', $kid;
    my $ask = sub { http($t, 'POST', "/$scheme/$id/license", body => $_[0]) };
    my $x = $ask->('{"kids":["' . $url->($raw) . '"],"type":"temporary"}');
    is($x->{status}, 200, 'a license');
    is($x->{headers}{'cache-control'}, 'no-store', 'nobody keeps it');
    my $jwk = json($x->{body});
    is($jwk->{type}, 'temporary', 'its type');
    is($jwk->{keys}[0]{kid}, $url->($raw), 'its KID');
    is($jwk->{keys}[0]{k}, $url->(fetch("/$scheme/$id/video~$hash/0.key")),
        'the same key');
    has_status($ask->('{"kids":["' . $url->('x' x 16) . '"]}'), 404,
        'NOT_FOUND', 'a KID of another');
    has_status($ask->('{"kids":["AA"]}'), 400, 'BAD_LICENSE_REQUEST',
        'no KID');
    has_status($ask->('{'), 400, 'BAD_LICENSE_REQUEST', 'no JSON');
    has_status($ask->(''), 400, 'BAD_LICENSE_REQUEST', 'nothing');
    has_status($ask->('x' x 20000), 413, 'TOO_LARGE', 'too much');
    has_status(http($t, 'GET', "/$scheme/$id/license"), 405,
        'METHOD_NOT_ALLOWED', 'GET');

    # nothing clear gets out of such a location
    (my $c) = fetch("/play/$id/manifest.mpd") =~ /~([0-9a-f]{10})/;
    has_status(http($t, 'GET', "/$scheme/$id/v~$c/0.m4s"), 404, 'NOT_FOUND',
        'the hash of clear segments');
    has_status(http($t, 'GET', "/play/$id/v~$hash/0.m4s"), 404, 'NOT_FOUND',
        'that of encrypted ones where none are');
    has_status(http($t, 'GET', "/$scheme/$id/v/0.ts"), 404, 'NOT_FOUND',
        'no transport stream') if $scheme eq 'cenc';
    has_status(http($t, 'GET', "/$scheme/$id/download.mp4"), 404,
        'NOT_FOUND', 'no download');
    has_status(http($t, 'GET', "/$scheme/$id/video~$hash/1.key"), 404,
        'NOT_FOUND', 'one period');
    ok(fetch("/$scheme/$id/v/0.m4s")
        eq fetch("/$scheme/$id/v~$hash/0.m4s"), 'bare names are encrypted');
}
has_status(http($t, 'GET', "/play/$id/video/0.key"), 404, 'NOT_FOUND',
    'no keys where nothing is encrypted');
has_status(http($t, 'POST', "/play/$id/license", body => '{}'), 405,
    'METHOD_NOT_ALLOWED', 'no licenses there');

# rotation: each segment by the key of its period
for my $where ('rot', 'rotb') {
    my $list = fetch("/$where/$id/v/media.m3u8");
    my @keys = $list =~ m{URI="(\.\./video[^"]+)"}g;
    is(scalar @keys, $where eq 'rot' ? 3 : 2, "$where: the keys");
    my %seen;
    for my $n (0 .. 2) {
        my $period = $where eq 'rot' ? $n : int $n / 2;
        (my $path = $keys[$period]) =~ s{^\.\.}{/$where/$id};
        my $key = unpack 'H*', fetch($path);
        $seen{$key}++;
        my $seg = fetch("/$where/$id/v/$n.m4s");
        ok($seg =~ /sgpd\x01\0\0\0seig/, 'a sample group');
        spew("$d/r.mp4", fetch("/$where/$id/v/init.mp4") . $seg);
        spew("$d/c.mp4", $clear{v}{'init.mp4'} . $clear{v}{"$n.m4s"});
        # of cbcs ffmpeg knows the IV of the header alone
        is(hash("$d/r.mp4", "-decryption_key $key"), hash("$d/c.mp4", ''),
            "segment $n") if $where eq 'rot';
    }
    is(scalar keys %seen, scalar @keys, 'each another');
}

# AES-128: openssl gives what the clear location has
for my $where ('aes', 'aests') {
    my ($ext, $from) = $where eq 'aes' ? ('m4s', 'play') : ('ts', 'ts');
    for my $r ('v', 'a') {
        my $list = fetch("/$where/$id/$r/media.m3u8");
        my @keys = $list =~ /^#EXT-X-KEY:METHOD=AES-128,URI="([^"]+)"$/mg;
        is(scalar @keys, $where eq 'aes' ? 1 : 3, "$where: the keys");
        ok($list !~ /EXT-X-MAP/ || $list =~ /EXT-X-MAP.*EXT-X-KEY/s,
            'the header is clear');
        for my $n (0 .. 2) {
            my $uri = $keys[$where eq 'aes' ? 0 : $n];
            $uri =~ s{^\.\.}{/$where/$id};
            my $key = unpack 'H*', fetch($uri);
            my $x = fetch("/$where/$id/$r/$n.$ext");
            spew("$d/x", $x);
            my $plain = `openssl enc -d -aes-128-cbc -K $key -iv @{[
                sprintf '%032x', $n]} -in $d/x`;
            ok($plain eq fetch("/$from/$id/$r/$n.$ext"), "$r $n");
            my $y = http($t, 'GET', "/$where/$id/$r/$n.$ext",
                headers => { Range => 'bytes=5000-5999' });
            ok($y->{body} eq substr($x, 5000, 1000), 'a range');
        }
    }
    is(run("ffmpeg -v warning -allowed_extensions ALL -i "
        . "http://127.0.0.1:$t->{port}/$where/$id/master.m3u8 -map 0:v:0 -map "
        . '0:a:0 -c copy -f null -'), '', 'played by its master playlist');
}
ok(fetch("/aes/$id/v/init.mp4") eq $clear{v}{'init.mp4'}, 'a clear header');
has_status(http($t, 'GET', "/aes/$id/manifest.mpd"), 404, 'NOT_FOUND',
    'DASH has no AES-128');
{
    my $list = fetch("/aes/$id/v/iframes.m3u8");
    my ($uri) = $list =~ /METHOD=AES-128,URI="([^"]+iframe\.key)"/;
    $uri =~ s{^\.\.}{/aes/$id};
    spew("$d/x", fetch("/aes/$id/v/4.iframe.m4s"));
    my $key = unpack 'H*', fetch($uri);
    my $plain = `openssl enc -d -aes-128-cbc -K $key -iv @{[
        sprintf '%032x', 4]} -in $d/x`;
    spew("$d/i.mp4", $clear{v}{'init.mp4'} . $plain);
    like(run("ffprobe -v error -show_entries packet=flags -of csv=p=0 "
        . "$d/i.mp4"), qr/^K_+\n$/, 'an I-frame of its own');
}

# SAMPLE-AES in transport streams: ffmpeg decrypts the frames of the clear ones;
# its filter makes start codes equally long
{
    my $x = http($t, 'GET', "/sats/$id/v/1.ts",
        headers => { Range => 'bytes=5000-5999' });
    is($x->{status}, 200, 'no ranges');
    ok(!exists $x->{headers}{'content-length'}, '… and no length before');
    ok(!exists $x->{headers}{'accept-ranges'}, '… and none is promised');
    is(http($t, 'HEAD', "/sats/$id/v/1.ts")->{headers}{'content-length'},
        undef, 'HEAD');

    my $frames = sub { my ($where, $r) = @_;
        return run("ffmpeg -v error -allowed_extensions ALL -i "
        . "http://127.0.0.1:$t->{port}/$where/$id/$r/media.m3u8 "
        . "-map 0 -c copy " . ($r eq 'a' ? '' : '-bsf filter_units=remove_types=12 ')
        . "-f framemd5 - | grep -v '^#'") };
    # (of pictures of several slices it loses bytes where escapes go)
    for my $r ('v', 'a') {
        my $list = fetch("/sats/$id/$r/media.m3u8");
        my @keys = $list =~ /^#EXT-X-KEY:METHOD=SAMPLE-AES,URI="[^"]+",IV=0x[0-9a-f]{32},KEYFORMAT="identity"/mg;
        is(scalar @keys, 2, "$r: two periods");
        my @got = split /\n/, $frames->('sats', $r);
        my @want = split /\n/, $frames->('ts', $r);
        is(scalar @got, scalar @want, 'as many frames');
        # ffmpeg takes the next key, or none, two pictures too early
        my @wrong = grep { $got[$_] ne $want[$_]
            && ($r eq 'a' || ($_ + 2) % 120 > 1 && $_ + 2 < @want) } 0 .. $#want;
        is("@wrong", '', "$r: the same frames");
    }
    like(fetch("/sats/$id/master.m3u8"),
        qr/^#EXT-X-SESSION-KEY:METHOD=SAMPLE-AES,.*IV=0x/m, 'session keys');
    my $list = fetch("/sats/$id/v/iframes.m3u8");
    unlike($list, qr/IV=/, 'I-frames are CMAF');
    my ($uri) = $list =~ /METHOD=SAMPLE-AES,URI="([^"]+)"/;
    $uri =~ s{^\.\.}{/sats/$id};
    my $key = unpack 'H*', fetch($uri);
    spew("$d/i.mp4", fetch("/sats/$id/v/init.mp4")
        . fetch("/sats/$id/v/0.iframe.m4s"));
    is(run("ffmpeg -v error -decryption_key $key -i - -f framemd5 - "
        . "<$d/i.mp4 | grep -v '^#'"), run("ffmpeg -v error -i - -frames:v 1 "
        . "-f framemd5 - <$d/clear-v.mp4 | grep -v '^#'"),
        '… that can be decrypted');
}

# plain files, whose sound lies between the pictures
mkdir "$d/films";
run("ffmpeg -v error -i $d/v.mp4 -i $d/a.mp4 -c copy -t 6 $d/films/x.mp4");
{
    my $lists = sub { my ($where) = @_;
        my $master = fetch("/$where/x.mp4/master.m3u8");
        my ($sound) = $master =~ /^#EXT-X-MEDIA:TYPE=AUDIO.*URI="([^"]+)"/m;
        my ($video) = $master =~ /^#EXT-X-STREAM-INF.*\n(\S+)/m;
        return ($video, $sound);
    };
    my $whole = sub { my ($where, $list) = @_;
        (my $folder = $list) =~ s{[^/]*$}{};
        my $text = fetch("/$where/x.mp4/$list");
        my @names = ($text =~ /^#EXT-X-MAP:URI="([^"]+)"/mg,
            $text =~ /^([^#\s]\S*)$/mg);
        my ($uri) = $text =~ /,URI="([^":]+\.key)"/;
        my $key = $uri ? unpack 'H*', fetch("/$where/x.mp4/$folder$uri") : '';
        return ($key, map { fetch("/$where/x.mp4/$folder$_") } @names);
    };
    my %want;
    for my $where ('films', 'fcenc', 'fcbcs') {
        for my $list ($lists->($where)) {
            my ($key, @parts) = $whole->($where, $list);
            my $kind = $list =~ /^v/ ? 'v' : 'a';
            spew("$d/x", join '', @parts);
            my $got = hash("$d/x", $key ? "-decryption_key $key" : '');
            is($got, $want{$kind} //= $got, "$where $kind: a plain file");
            ok(!$key || index(join('', @parts), substr $want{last}{$kind},
                -300) < 0, '… encrypted') if $kind eq 'a';
            $want{last}{$kind} //= join '', @parts;
        }
    }
    my ($v) = $lists->('faes');
    my ($key, @parts) = $whole->('faes', $v);
    spew("$d/x", $parts[1]);
    my ($clear) = $lists->('filmsts');
    ok(`openssl enc -d -aes-128-cbc -K $key -iv @{[sprintf '%032x', 1]} -in $d/x`
        eq ($whole->('filmsts', $clear))[2], 'AES-128 of a plain file');
    my %got = map { my $w = $_; $w => [map { (split /\n/, run("ffmpeg -v error "
        . "-allowed_extensions ALL -i http://127.0.0.1:$t->{port}/$w/x.mp4/$_ "
        . '-map 0 -c copy ' . (/^v/ ? '-bsf filter_units=remove_types=12 ' : '')
        . "-f framemd5 - | grep -v '^#'"))[0 .. 54] } $lists->($w)] }
        'fsats', 'filmsts';
    is_deeply($got{fsats}, $got{filmsts}, 'SAMPLE-AES of a plain file');
}

# others' key servers
my $list = fetch("/other/$id/v/media.m3u8");
like($list, qr{URI="skd://$id/[0-9a-f]{32}/0",KEYFORMAT="com.apple}, 'a template');
like($list, qr{KEYFORMAT="urn:uuid:edef8ba9}, 'Widevine');
like(fetch("/other/$id/manifest.mpd"), qr{edef8ba9-}, 'Widevine in the MPD');
has_status(http($t, 'GET', "/other/$id/video/0.key"), 404, 'NOT_FOUND',
    'no keys are given');

my $key = substr $Reel::MASTER, 0, 20;
unlike($t->log, qr/$key/, 'no key in the log');

done_testing;
