#!/usr/bin/perl

# Turns of the event loop: what segments do in one is bounded, however many
# go on at once; and a worker that is to leave waits for those that wait.

use strict;
use warnings;
use lib 't/lib';
use Asset;
use Reel;
use Test::More;

use constant AT_ONCE => 24;

my $t = Reel->new(workers => 1, conf => 'location /play/ { reel_play; }');
my $a = Asset->new($t, fragments => 3, renditions => ['v720:video:300000']);
my $url = $a->url('0.ts', 'v720', '3.ts');
my $bytes = http($t, 'GET', $url)->{body};
my $close = "Host: x\r\nConnection: close\r\n";

# a connection of which the worker has read all of this
sub begun {
    my ($more) = @_;
    my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$t->{port}")
        or die $!;
    print $s "HEAD $url HTTP/1.1\r\nHost: x\r\n\r\n$more";
    local $/ = "\r\n\r\n";
    <$s> =~ /^HTTP\S+ 200 / or die 'HEAD';
    return $s;
}

sub rest { my ($s) = @_; local $/; return scalar <$s> }

# all of them at once: what the worker called
sub traced {
    my ($url, $bytes, $calls) = @_;
    my ($worker) = $t->workers;
    my ($trace, $said) = map { "$t->{dir}/$_" } 'trace', 'said';
    unlink $said;
    my @s = map { begun("GET $url HTTP/1.1\r\n") } 1 .. AT_ONCE;
    my $pid = fork // die $!;
    if ($pid == 0) {
        open STDERR, '>', $said or die $!;
        exec 'strace', '-s', 0, '-e', "trace=epoll_wait,$calls", '-o', $trace,
            '-p', $worker;
        exit 1;
    }
    wait_for(sub { -e $said && slurp($said) =~ /attached/ }, 'strace attaches');
    kill 'STOP', $worker;
    print $_ "$close\r\n" for @s;
    kill 'CONT', $worker;
    is(scalar(grep { substr(rest($_), -length $bytes) ne $bytes } @s), 0,
        'all of them are answered');
    kill 'INT', $pid;
    waitpid $pid, 0;
    return split /\n/, slurp($trace);
}

# of what these lines say, by their number or each for one: all, and the most
# of a turn
sub turns {
    my ($pattern, @lines) = @_;
    my ($turn, $most, $all) = (0, 0, 0);
    for (@lines) {
        $turn = 0 if /^epoll_wait/;
        next if !/$pattern/;
        $turn += $1 // 1;
        $all += $1 // 1;
        $most = $turn if $turn > $most;
    }
    return ($all, $most);
}

SKIP: {
    skip 'no strace', 6 if system('strace -V >/dev/null 2>&1')
        || system('strace -o /dev/null true 2>/dev/null');
    my ($all, $most) = turns(qr/^writev.* = (\d+)$/,
        traced($url, $bytes, 'writev'));
    cmp_ok($all, '>=', AT_ONCE * length $bytes, 'their bytes were traced');
    cmp_ok($most, '<=', 0.75 * 1024 * 1024, 'a turn sends half a MiB or so');

    my $clear = $a->url('0.m4s', 'v720', 3);
    ($all, $most) = turns(qr/^openat.* = (?:\d+)$/,
        traced($clear, http($t, 'GET', $clear)->{body}, 'openat'));
    cmp_ok($all, '>=', AT_ONCE, 'files were opened');
    cmp_ok($most, '<=', $all * 3 / 4, 'of clear segments a turn begins some');
}

# a worker that is to leave
my $s = begun("GET $url HTTP/1.1\r\n$close");
my %old = map { $_ => 1 } $t->workers;
$t->reload;
wait_for(sub { grep { !$old{$_} } $t->workers }, 'new workers');
print $s "\r\n";
ok(substr(rest($s), -length $bytes) eq $bytes, 'it sends what it has begun');

done_testing;
