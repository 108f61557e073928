#!/usr/bin/perl

# What a worker's event loop asks of the kernel while it serves files that are
# not in memory: nothing that waits for a disk, but for opening a file and,
# where no threads are configured, sendfile.

use strict;
use warnings;
use lib 't/lib';
use Asset;
use Film;
use IO::Handle;
use IPC::Open2;
use Reel;
use Test::More;
use Time::HiRes qw(sleep);

plan skip_all => 'strace is not installed'
    if system('strace -V >/dev/null 2>&1') != 0;
plan skip_all => 'ptrace is refused'
    if system('strace -o /dev/null true 2>/dev/null') != 0;

my $t = Reel->new(idle => 1, conf => 'location /play/ { reel_play; }
    location /blocks/ { reel_play; sendfile off; aio off; }
    location /alone/ { reel_play; aio off; }
    location /films/ { alias FILMS/; reel_play_files; }');
my $films = "$t->{dir}/films";
mkdir $films or die $!;
$t->{o}{conf} =~ s/FILMS/$films/;
film("$films/a.mp4", qw(-f lavfi -i testsrc2=size=320x180:rate=25:duration=14
    -f lavfi -i sine=frequency=440:duration=14 -c:v libx264 -preset ultrafast
    -g 50 -c:a aac));
$t->nginx_start;
my ($worker) = $t->workers;

my $a = Asset->new($t, fragments => 30, object => 4, frames => 2, sheets => 1,
    renditions => ['v720:video:300000', 'a128:audio:16000',
    't-en:text:200:language=en']);

# writes back what is in memory of them, and has it forgotten
my $python = open2(my $forgot, my $forget, 'python3', '-c', 'import os, sys
for line in sys.stdin:
    for name in line[:-1].split("\t"):
        fd = os.open(name, os.O_RDWR)
        os.fsync(fd)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(fd)
    print(flush=True)');
sub forget {
    print $forget join("\t", glob("$films/*"),
        map { "$t->{dir}/store/$_" } $t->files), "\n";
    $forget->flush;
    <$forgot> // die 'python3';
}

# the system calls of the event loop's thread while these are asked for
sub traced {
    my ($ask, @urls) = @_;
    my ($out, $said) = ("$t->{dir}/strace", "$t->{dir}/strace.said");
    unlink $said;                   # of the trace before, which was attached
    my $pid = fork // die $!;
    if ($pid == 0) {
        open STDERR, '>', $said or die $!;
        exec 'strace', '-y', '-s', 0, '-o', $out, '-p', $worker;
        exit 1;
    }
    wait_for(sub { -e $said && slurp($said) =~ /attached/ }, 'strace attaches');
    $ask->(@urls);
    kill 'INT', $pid;
    waitpid $pid, 0;
    return split /\n/, slurp($out);
}

# calls that may wait for a disk, for a name server or for another process
sub waits {
    my $file = qr/\d+<\Q$t->{dir}\E\/(?:store|films|tmp)\/[^>]*>/;
    my $reads = qr/(?:p?readv?|pread64|p?writev?|pwrite64|splice|readahead
        |copy_file_range|fallocate|ftruncate|flock|fstatfs|getdents64)
        \($file/x;
    return grep {
        /^(?:preadv2\($file(?!.*RWF_NOWAIT)|$reads|f(?:data)?sync\(|sync
            |open(?:at)?\(.*"\/etc\/|connect\(|sendto\(.*htons\(53\)
            |fcntl\($file,\ F_(?:OFD_)?SETLKW|mkdir|rename|unlink|link
            |(?:clock_)?nanosleep\(|wait4\(|poll\(|select\()/x
    } @_;
}

sub each_cold {
    for my $url (@_) {
        forget();
        my $x = http($t, 'GET', $url);
        is($x->{status}, 200, $url =~ s{^/\w+/\w{26}/}{}r);
    }
}

# none of these has been asked for before
my @calls = traced(\&each_cold, $a->url('master.m3u8'),
    $a->url('manifest.mpd'), map({ $a->url($_, 'v720') } 'media.m3u8',
    'iframes.m3u8', 'init.mp4', '0.m4s', '0.ts', '5.ts'), map({
    $a->url($_, 'a128') } 'media.m3u8', '0.m4s', '1.ts'), map({
    $a->url($_, 't-en') } 'media.m3u8', '3.vtt', 'subtitles.vtt'), map({
    $a->url($_) } 'poster.jpg', 'thumb.jpg?time=5', 'storyboard.vtt',
    'download.mp4'), "/play/$a->{id}/master.m3u8?start=4&end=20",
    map { "/films/a.mp4/$_" } 'master.m3u8', 'v180/media.m3u8',
    'v180/init.mp4', 'v180/0.m4s', 'v180/1.m4s', 'a1/0.m4s');
is(join("\n", waits(@calls)), '', 'the event loop waits for nothing');
is(scalar(grep { /^sendfile\(/ } @calls), 0, 'nor does sendfile, in threads');

# that the trace is one, and saw what was refused for want of memory
cmp_ok(scalar(grep { /^accept4?\(/ } @calls), '>=', 25, 'it was traced');
cmp_ok(scalar(grep { /^preadv2\(.*RWF_NOWAIT\)\s+= -1 EAGAIN/ } @calls), '>',
    0, 'reads that would have waited went to a thread');
@calls = traced(\&each_cold, $a->url('2.m4s', 'v720') =~ s{^/play}{/blocks}r);
cmp_ok(scalar(waits(@calls)), '>', 0, 'without threads a read is seen');
@calls = traced(\&each_cold, $a->url('3.m4s', 'v720') =~ s{^/play}{/alone}r);
cmp_ok(scalar(grep { /^sendfile\(/ } @calls), '>', 0,
    'without threads sendfile is the event loop\'s');
is(join("\n", waits(@calls)), '', 'and there is nothing beside it');

close $forget;
waitpid $python, 0;

done_testing;
