#!/usr/bin/perl

# What no writer of ours leaves in a store, and what no player asks for: each
# is answered at once, no worker dies, none waits for a FIFO, and an answer
# that looks whole is whole.

use strict;
use warnings;
use lib 't/lib';
use Asset;
use IO::Socket::INET;
use POSIX ();
use Reel;
use Socket qw(SOL_SOCKET SO_RCVBUF);
use Test::More;
use Time::HiRes qw(sleep);

my $t = Reel->new(zone => 0, conf => '
    location /play/ { reel_play; }
    location /loop/ { reel_play; aio off; }
    location /reads/ { reel_play; sendfile off; output_buffers 2 64k; }');
my ($worker) = $t->workers;
my @few = (fragments => 6, object => 2, frames => 4);
my @kinds = ('v720:video:9000', 'a128:audio:2000', 't-en:text:20:language=en');

# lines of the log since it was asked for last
open my $log, '<', "$t->{dir}/error.log" or die $!;
sub news {
    seek $log, 0, 1;
    return grep { /\[(?:error|crit|alert|emerg)\]/ } <$log>;
}

# what each of these is answered on one connection, until it is closed:
# [status, code, has all that Content-Length says]
sub answers {
    my (@urls) = @_;
    my $in = raw($t, join('', map { "GET $urls[$_] HTTP/1.1\r\nHost: x\r\n"
        . ($_ == $#urls ? "Connection: close\r\n" : '') . "\r\n" } 0 .. $#urls),
        secs => 10);
    my @got;
    while ($in =~ s/\AHTTP\/1\.1 (\d+) .*?\r\n\r\n//s) {
        my ($status, $head) = ($1, $&);
        my ($len) = $head =~ /^Content-Length: (\d+)\r$/mi;
        my $body = substr $in, 0, $len // length $in, '';
        push @got, [$status, $body =~ /"code":"(\w+)"/ ? $1 : '',
            defined $len && $len == length $body];
    }
    return @got;
}

# --- files that are none -----------------------------------------------------

sub in_place_of {
    my ($file, $make) = @_;
    unlink $file or die "$file: $!";
    $make->($file);
}

my %no_file = (
    'a FIFO' => sub { POSIX::mkfifo($_[0], 0600) or die $! },
    'a folder' => sub { mkdir $_[0] or die $! },
    'a dangling link' => sub { symlink '/nonexistent/x', $_[0] or die $! },
    'a link to itself' => sub { symlink $_[0], $_[0] or die $! },
    'a device that never ends' => sub { symlink '/dev/zero', $_[0] or die $! },
);
$no_file{'unreadable'} = sub { spew($_[0], 'x'); chmod 0, $_[0] } if $> != 0;

# what no writer of ours makes is refused with a word; a folder is no object
my %index = ('a folder' => '404 NOT_FOUND');
for my $name (sort keys %no_file) {
    my $a = Asset->new($t, @few, renditions => \@kinds);
    in_place_of($a->file('index'), $no_file{$name});
    my ($x) = answers($a->url('master.m3u8'));
    is("$x->[0] $x->[1]", $index{$name} // '500 STORE_FAILED',
        "the index is $name");
    is(scalar(grep { /"assets\S+$a->{id}\/index"/ } news()),
        $index{$name} ? 0 : 1, '  and in the log');
}

# more of them at once than the pool has threads, then one that is sound
my @fifos = map { my $a = Asset->new($t, @few);
    in_place_of($a->file('index'), $no_file{'a FIFO'}); $a } 1 .. 40;
my @wait = map { my $s = IO::Socket::INET->new(
    PeerAddr => "127.0.0.1:$t->{port}") or die;
    print $s 'GET ' . $_->url('master.m3u8') . " HTTP/1.1\r\nHost: x\r\n\r\n";
    $s } @fifos;
my $sound = Asset->new($t, @few, renditions => \@kinds);
my ($x) = answers($sound->url('master.m3u8'));
is($x->[0], 200, '40 FIFOs hold no thread');

for my $name (sort keys %no_file) {
    my $a = Asset->new($t, @few, renditions => \@kinds);
    in_place_of($a->file("$_/" . ($a->objects($_))[0]), $no_file{$name})
        for 'v720', 'a128', 't-en';
    in_place_of($a->file('image/' . $a->{poster}[0]), $no_file{$name});
    in_place_of($a->file("image/$a->{sheet}{0}[0][0]"), $no_file{$name});
    news();
    for my $url ($a->url('0.m4s', 'v720'), $a->url('0.m4s', 'a128'),
        $a->url('0.ts', 'v720'), $a->url('0.vtt', 't-en'),
        $a->url('subtitles.vtt', 't-en'), $a->url('poster.jpg'),
        $a->url('thumb.jpg?time=1'), $a->url('download.mp4'))
    {
        ($x) = answers($url);
        my ($what) = $url =~ /([^\/]+)$/;
        is($x->[0], 500, "the object is $name: $what");
        like($x->[1], qr/^(BAD_OBJECT|STORE_FAILED)$/, '  its code');
        is(scalar(grep { /"\S+\/store\/assets\S+$a->{id}\/\S+"/ } news()), 1,
            '  one line names the file');
    }
    ($x) = answers($a->url('1.m4s', 'v720'));
    is($x->[0], 200, '  and what is sound plays');
}

# --- an index, a byte of it wrong --------------------------------------------

my @crc = map { my $c = $_;
    $c = $c & 1 ? $c >> 1 ^ 0x82f63b78 : $c >> 1 for 1 .. 8; $c } 0 .. 255;
sub crc32c {
    my $c = 0xffffffff;
    $c = $crc[($c ^ $_) & 255] ^ $c >> 8 for unpack 'C*', $_[0];
    return $c ^ 0xffffffff;
}

# each third and sixth byte under the sanitizers, which see what no answer
# shows; fewer without
my $step = $ENV{REEL_PRELOAD} ? 1 : 4;
my $d = Asset->new($t, @few, renditions => \@kinds);
my $good = slurp($d->file('index'));
is(unpack('V', substr $good, -4), crc32c(substr $good, 0, -4),
    'CRC-32C as we count it');
news();
my %bad;
for my $at (grep { $_ % (3 * $step) == 0 || $_ < 48 } 0 .. length($good) - 1) {
    my $index = $good;
    substr($index, $at, 1) ^= chr 1 + $at * 37 % 255;
    spew($d->file('index'), $index);
    my ($y) = answers($d->url('master.m3u8'));
    my @said = grep { /\/$d->{id}\/index"/ } news();
    my $ok = "$y->[0] $y->[1]" eq '500 BAD_INDEX' && @said == 1
        && $said[0] =~ /bad index ".*": \w+, (\S.*)/;
    my $where = $1 // '';
    $bad{"byte $at: $y->[0] $y->[1], @said"}++ if !$ok
        || $at >= 48 && $where !~ /^(?:[A-Z]{4,}\b|(?:section|checksum) at \d+)/;
}
is(join("\n", sort keys %bad), '',
    'a byte wrong: 500, and one line says where it shows');

# with a checksum that fits: only what each field says is left to go by
my @all = map { $d->url(@$_) } ['master.m3u8'], ['media.m3u8', 'v720'],
    ['iframes.m3u8', 'v720'], ['manifest.mpd'], ['init.mp4', 'v720'],
    ['0.m4s', 'v720'], ['1.m4s', 'a128'], ['1.ts', 'v720'], ['0.ts', 'a128'],
    ['0.vtt', 't-en'], ['poster.jpg'], ['thumb.jpg?time=3'], ['download.mp4'];
my %answer;
%bad = ();
for my $at (grep { $_ % (6 * $step) == 0 || $_ < 48 } 0 .. length($good) - 5) {
    my $index = substr $good, 0, -4;
    substr($index, $at, 1) ^= chr 1 + $at * 91 % 255;
    spew($d->file('index'), $index . pack 'V', crc32c($index));
    my $i = 0;
    for my $y (answers(@all)) {
        my $url = $all[$i++];
        $answer{$y->[0]}++;
        # a later piece of a download may be lost when the first are sent
        $bad{"byte $at: $url: @$y"}++ if !$y->[2] && $url !~ /download/;
    }
    $bad{"byte $at: $i answers"}++ if $i != @all;
    $bad{"byte $at: $_"}++ for grep { /\[(?:crit|alert|emerg)\]/ } news();
}
is(join("\n", sort keys %bad), '', 'damaged fields: nothing short or alarming');
is(join(' ', grep { !/^(200|404|409|500|501)$/ } sort keys %answer), '',
    'answers: ' . join ', ', map { "$answer{$_} x $_" } sort keys %answer);
cmp_ok($answer{500}, '>', 100, 'many are refused');
spew($d->file('index'), $good);
is(join(' ', map { $_->[0] } answers(@all)), join(' ', (200) x @all),
    'repaired: all of it plays');

# --- an object that shrinks while it is sent ---------------------------------

sub shrinking {
    my ($a, $url, $file) = @_;
    my $s = IO::Socket::INET->new(Proto => 'tcp') or die;
    setsockopt $s, SOL_SOCKET, SO_RCVBUF, 16384 or die;
    connect $s, Socket::pack_sockaddr_in($t->{port},
        Socket::inet_aton('127.0.0.1')) or die;
    syswrite $s, "GET $url HTTP/1.1\r\nHost: x\r\n\r\n";
    sysread $s, my $in, 4096;
    sleep 0.2;
    truncate $file, 1000 or die;
    alarm 20;
    while (sysread $s, my $more, 1 << 16) { $in .= $more }
    alarm 0;
    my ($head, $body) = split /\r\n\r\n/, $in, 2;
    my ($status) = $head =~ /^HTTP\/1\.1 (\d+)/;
    my ($len) = $head =~ /^Content-Length: (\d+)\r?$/m;
    return "$status, " . (length($body) < $len ? 'cut' : 'whole');
}

for my $c (['play', '0.m4s'], ['loop', '0.m4s'], ['reads', '0.m4s'],
    ['play', '0.ts'], ['play', 'download.mp4'])
{
    my ($way, $name) = @$c;
    my $a = Asset->new($t, fragments => 1,
        renditions => ['v720:video:12000000']);
    (my $url = $a->url($name, $name =~ /^0/ ? 'v720' : undef))
        =~ s{^/play}{/$way};
    is(shrinking($a, $url, $a->file('v720/' . ($a->objects('v720'))[0])),
        '200, cut', "$way: $name is cut short, and the connection closed");
}

# --- what nobody asks for ----------------------------------------------------

my $base = "/play/$sound->{id}";
for my $c (["$base/v720/%00.m4s", 400], ["$base/v720/0.m4s%00", 400],
    ["$base/../../../etc/passwd", 400], ["$base/" . '..%2f' x 5 . 'etc/passwd', 400],
    ["$base/v720/..", 400], ["$base//v720//0.m4s", 200],
    ["$base/v720/" . 'x' x 7000, 400], ["$base/" . 'v/' x 3500 . '0.m4s', 400],
    ["$base/v720/" . '9' x 7000 . '.m4s', 404],
    ["$base/v720~" . 'a' x 7000 . '/0.m4s', 400],
    ["$base/master.m3u8?" . 'a=b&' x 1900, 200],
    ["$base/master.m3u8?start=" . '9' x 7000, 400],
    ["$base/thumb.jpg?time=" . '9' x 7000, 400],
    ["$base/" . 'x' x 9000, 414],
    map { (["$base/v720/$_.m4s", 404], ["$base/v720/$_.ts", 404],
        ["$base/t-en/$_.vtt", 404]) } 2147483647, 2147483648, 4294967294,
        4294967295, 4294967296, '18446744073709551615', '18446744073709551616')
{
    ($x) = answers($c->[0]);
    is($x->[0], $c->[1], substr $c->[0], length $base, 30);
}

for my $name ('v720/0.m4s', 'v720/0.ts', 't-en/0.vtt', 'poster.jpg',
    'download.mp4')
{
    my $whole = http($t, 'GET', "$base/$name")->{body};
    my $len = length $whole;
    my $huge = '9' x 40;
    my @wrong;
    for my $c (['bytes=-0', 416], ["bytes=$len-", 416], ["bytes=$huge-", 416],
        ["bytes=0-$huge", 416], ["bytes=-$huge", 416], ['bytes=5-4', 416],
        ['bytes=-1-5', 416], ['bytes=--5', 416], ['bytes=', 200],
        ['bytes=,', 416], ['bytes=0x0-5', 416], ['bytes', 200],
        ['bytes=9223372036854775807-9223372036854775807', 416],
        ['bytes=0-9223372036854775807', 206], ['bytes=0-0,2-2', 200],
        ['bytes=-1,-1', 200], ['bytes=' . '0-,' x 1500 . '0-', 200],
        ['seconds=1-2', 200])
    {
        my $y = http($t, 'GET', "$base/$name",
            headers => { Range => $c->[0] });
        push @wrong, "$c->[0]: $y->{status}"
            if $y->{status} != $c->[1]
            || $y->{status} < 300 && $y->{body} ne $whole;
    }
    is(join('; ', map { substr $_, 0, 60 } @wrong), '', "$name: odd ranges");
}

is(join(' ', $t->workers), $worker, 'the worker is the same');
# nginx's own word on a file that shrank is an alert
is(join("\n", grep { /\[(?:alert|emerg)\]/ && !/was truncated|read only/ }
    split /\n/, $t->log), '', 'nothing alarming in the log');
@wait = ();
ok(wait_for(sub { !grep { (readlink($_) // '') =~ /\/store\// }
    glob "/proc/$worker/fd/*" }, 'files are closed', 5), 'no file is left open');

done_testing;
