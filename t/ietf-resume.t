# resumable uploads of the IETF that break off, and are gone on with: by a
# cut, another request, the end of a worker or of the client's patience
# last: a deadline is measured, with slack for a busy machine
use strict;
use warnings;
use POSIX qw(_exit);
use Test::More;
use Time::HiRes qw(time sleep);
use lib 't/lib';
use Ietf;
use Reel;

my $h2 = Reel::free_port();
my $conf = 'location /upload/ { reel_upload; client_body_timeout 60s; }
    location /hasty/ { reel_upload; client_body_timeout 1s; }';
my $t = Reel->new(workers => 3, conf => $conf,
    http => "server { listen 127.0.0.1:$h2 http2; $conf }");

my %partial = ('Content-Type' => 'application/partial-upload');
my $bytes = bytes(3_000_000);
my $size = length $bytes;
sub to { my ($at) = @_; return presign($t, 'POST', ($at // '/upload/')
    . 'video/') }
sub at { return ask($t, 'HEAD', $_[0], undef)->{headers}{'upload-offset'} }
sub patch { my ($url, $offset, $complete, %h) = @_;
    return Ietf::begin($t, 'PATCH', $url, Ietf::flag(8, $complete), %partial,
        'Upload-Offset' => $offset, %h) }
sub rest { my ($url, $name) = @_;
    my $at = at($url);
    my $c = patch($url, $at, 1, 'Content-Length' => $size - $at);
    $c->put(substr $bytes, $at);
    my $r = $c->answer;
    has_status($r, 200, undef, "$name: the rest");
    ok(source($t, $r) eq $bytes, "$name: the bytes") }
sub uploads { return scalar grep { m{/upload\.json\z} } $t->files('uploads') }

# cut at any byte: what came is there
for my $cut (1, 1000, 1_048_576, 1_048_577, 2_999_990) {
    for my $h ([ 'Content-Length' => $size ],
        [ 'Transfer-Encoding' => 'chunked' ]) {
        my $name = "cut at $cut" . ($h->[1] eq 'chunked' ? ', chunked' : '');
        my $c = Ietf::begin($t, 'POST', to(), Ietf::flag(8, 1), @$h);
        my $url = $c->next_104->{headers}{location};
        my $send = sub { my ($from, $n) = @_;
            my $piece = substr $bytes, $from, $n;
            $h->[1] eq 'chunked' ? $c->chunk($piece) : $c->put($piece) };
        $send->(0, $cut);
        $c->cut;
        sleep 0.2;              # or HEAD would end what is on its way
        is(at($url), $cut, "$name: creation: every byte is kept");

        my $more = int(($size - $cut) / 2);
        $c = patch($url, $cut, 1, $h->[1] eq 'chunked' ? @$h
            : ('Content-Length' => $size - $cut));
        $send->($cut, $more);
        $c->cut;
        sleep 0.2;
        is(at($url), $cut + $more, "$name: append: every byte is kept");
        rest($url, $name);
    }
}

# a creation that nobody can go on with leaves nothing
my $before = uploads();
for my $h ([ 'Upload-Complete' => '?1' ], [ 'Upload-Complete' => '?0' ]) {
    my $c = Ietf::begin($t, 'POST', to(), @$h, 'Content-Length' => $size);
    $c->put(substr $bytes, 0, 1_500_000);
    sleep 0.2;
    is(uploads(), $before + 1, "not told of, $h->[1]: it is there");
    $c->cut;
    wait_for(sub { uploads() == $before }, 'it goes');
    is(uploads(), $before, "not told of, $h->[1]: it goes with its client");
}

# a dead connection holds it: whoever comes is let in at once, in any worker
for my $round (1 .. 12) {
    my $name = "takeover $round";
    my $c = Ietf::begin($t, 'POST', to(), Ietf::flag(8, 1),
        'Content-Length' => $size);
    my $url = $c->next_104->{headers}{location};
    $c->put(substr $bytes, 0, 1_500_000);
    sleep 0.1;

    my $began = time;
    is(at($url), 1_500_000, "$name: HEAD") if $round % 3 == 0;
    my $d = patch($url, 1_500_000, 1, 'Content-Length' => 1_500_000);
    $d->put(substr $bytes, 1_500_000, 700_000);
    sleep 0.1;
    if ($round % 3 == 1) {
        is($c->more(5), 0, "$name: the old one is closed");
        is($d->next_head(0), undef, "$name: the new one goes on");
        $d->put(substr $bytes, 2_200_000);
        my $r = $d->answer;
        has_status($r, 200, undef, $name);
        ok(source($t, $r) eq $bytes, "$name: the bytes");
        next;
    }

    # once more, by another method
    $began = time;
    if ($round % 3 == 2) {
        has_status(ask($t, 'DELETE', $url, undef), 204, undef,
            "$name: DELETE");
        cmp_ok(time - $began, '<', 3, "$name: at once");
        has_status(ask($t, 'HEAD', $url, undef), 404, undef, "$name: gone");
        is($d->more(5), 0, "$name: PATCH is closed");
        next;
    }
    my $r = ask_h2($t, $h2, 'HEAD', $url, undef);
    has_header($r, 'upload-offset', qr{^2200000\z}, "$name: HEAD by HTTP/2");
    cmp_ok(time - $began, '<', 3, "$name: at once");
    is($d->more(5), 0, "$name: PATCH is closed");
    rest($url, $name);
}

# an upload by HTTP/2 that is left alone
for my $round (1 .. 2) {
    my $url = create($t, 8);
    spew("$t->{dir}/slow", $bytes);
    my $pid = fork // die;
    if (!$pid) {
        open STDOUT, '>', '/dev/null';
        exec('curl', '-s', '--http2-prior-knowledge', '--limit-rate', '500k',
            '-X', 'PATCH', '-T', "$t->{dir}/slow", '-H', 'Expect:',
            '-H', 'Upload-Offset: 0', '-H', 'Upload-Complete: ?1',
            '-H', 'Upload-Draft-Interop-Version: 8',
            '-H', 'Content-Type: application/partial-upload',
            "http://127.0.0.1:$h2$url") or _exit(1);
    }
    sleep 1;
    kill 'KILL', $pid if $round == 1;
    my $at = at($url);
    cmp_ok($at, '>', 0, "HTTP/2, round $round: something came ($at)");
    cmp_ok($at, '<', $size, "HTTP/2, round $round: and not all");
    rest($url, "HTTP/2, round $round");
    kill 'KILL', $pid;
    waitpid $pid, 0;
}

# all at once, at one offset: each byte once
for my $round (1 .. 4) {
    my $url = create($t, 8);
    my @c = map { patch($url, 0, 0, 'Content-Length' => 600_000) } 1 .. 8;
    $_->put(substr $bytes, 0, 400_000) for @c;
    sleep 0.05;
    $_->put(substr $bytes, 400_000, 200_000) for @c;
    my %got;
    $got{ $_->answer(10)->{status} }++ for @c;
    my $all = join ', ', map { "$_: $got{$_}" } sort keys %got;
    is(scalar(grep { !/^(0|204|409)\z/ } keys %got), 0, "at once: $all");
    cmp_ok($got{204} // 0, '<=', 1, 'at once: at most one took it all');
    cmp_ok(at($url), '<=', 600_000, 'at once: not more than one sent');
    rest($url, "at once, round $round");
}

# a worker dies of kill -9
for my $round (1 .. 3) {
    my $c = Ietf::begin($t, 'POST', to(), Ietf::flag(8, 1),
        'Content-Length' => $size);
    my $url = $c->next_104->{headers}{location};
    $c->put(substr $bytes, 0, 2_500_000);
    sleep 0.1;
    kill 'KILL', $t->workers;
    my $at;
    wait_for(sub { defined($at = at($url)) }, 'new workers');
    cmp_ok($at, '>=', 2 << 20, "kill -9: what was written is there ($at)");
    rest($url, "kill -9, round $round");
}

# the client stalls
my $c = Ietf::begin($t, 'POST', to('/hasty/'), Ietf::flag(8, 1),
    'Content-Length' => $size);
my $url = $c->next_104->{headers}{location};
$c->put(substr $bytes, 0, 1_234_567);
my $r = $c->answer(10);
has_status($r, 408, undef, 'too slow') if $r->{status};
is(at($url), 1_234_567, 'too slow: every byte is kept');
rest($url, 'too slow');

# nginx is reloaded: the old worker does not wait for the client's end
for my $complete (0, 1) {
    for my $create (0, 1) {
        my $name = ($create ? 'creation' : 'append') . " with ?$complete";
        my @old = sort $t->workers;
        my $url = $create ? undef : create($t, 8);
        $c = $create ? Ietf::begin($t, 'POST', to(), Ietf::flag(8, $complete),
            'Content-Length' => $size)
            : patch($url, 0, $complete, 'Content-Length' => $size);
        $url = $c->next_104->{headers}{location} if $create;
        $c->put(substr $bytes, 0, 1_500_000);
        sleep 0.1;
        $t->reload;
        wait_for(sub { "@old" ne join ' ', sort $t->workers }, 'reload');
        sleep 0.3;
        $c->put(substr $bytes, 1_500_000, 1_000_000);
        $r = $c->answer(10);
        my $status = $complete ? 503 : $create ? 201 : 204;
        has_status($r, $status, undef, "reload: $name");
        has_header($r, 'upload-complete', qr{^\?0\z}, "reload: $name");
        my $at = $r->{headers}{'upload-offset'};
        cmp_ok($at // -1, '>=', 1_500_000, "reload: $name: " . ($at // ''));
        is(at($url), $at, "reload: $name: that is durable");
        $c->cut;
        rest($url, "reload: $name");
        wait_for(sub { my %new = map { $_ => 1 } $t->workers;
            !grep { $new{$_} } @old }, "$name: the old workers end");
    }
}

unlike($t->log,
    qr{\[(error|crit|alert|emerg)\] (?!.*(client|reset|exited|process ends))},
    'nothing else is logged');

done_testing;
