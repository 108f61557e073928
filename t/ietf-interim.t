# 104 (Upload Resumption Supported): when it comes, and what it promises
use strict;
use warnings;
use Test::More;
use lib 't/lib';
use Ietf;
use Reel;

my ($h2, $tls) = (Reel::free_port(), Reel::free_port());
my $dir = File::Temp::tempdir('reel-tls-XXXXXX', TMPDIR => 1, CLEANUP => 1);
system("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 "
    . "-nodes -days 1 -subj /CN=t -keyout $dir/key -out $dir/cert "
    . '2>/dev/null') == 0 or die 'openssl req';
my $conf = 'location /upload/ { reel_upload; }
    location /limit/ { reel_upload; limit_rate 1k; }';
my $t = Reel->new(workers => 2, conf => $conf,
    http => "server { listen 127.0.0.1:$h2 http2; $conf }
        server { listen 127.0.0.1:$tls ssl http2; ssl_certificate $dir/cert;
            ssl_certificate_key $dir/key; $conf }");

my %partial = ('Content-Type' => 'application/partial-upload');
my $bytes = bytes(24 << 20);
sub to { my ($at) = @_; return presign($t, 'POST', ($at // '/upload/')
    . 'video/') }
sub at { return ask($t, 'HEAD', $_[0], undef)->{headers}{'upload-offset'} }

# before a byte of the body
for my $v (3 .. 8) {
    my $c = Ietf::begin($t, 'POST', to(), Ietf::flag($v, 1),
        'Content-Length' => 10);
    my $i = $c->next_104;
    is($i->{line}, 'HTTP/1.1 104 Upload Resumption Supported',
        "version $v: at once");
    my $url = $i->{headers}{location};
    is(at($url), 0, "version $v: the upload is there");
    is($i->{headers}{'upload-offset'}, undef, "version $v: no offset");
    is($c->next_head(0.2), undef, "version $v: but one");
}

# not for who does not speak a version that we do
for my $version (undef, 2, 9, '8.0', '"8"', '8, 8', '-8', '') {
    my $c = Ietf::begin($t, 'POST', to(), 'Upload-Complete' => '?0',
        'Content-Length' => 10, 'Upload-Draft-Interop-Version' => $version);
    is($c->next_head(0.2), undef, 'version ' . ($version // 'unnamed'));
    $c->put('x' x 10);
    my $r = $c->answer;
    has_status($r, 201, undef, 'version ' . ($version // 'unnamed'));
    is(scalar @{ $r->{interim} }, 0, 'without 104');
}
my $c = Ietf::begin($t, 'POST', to(), 'Upload-Complete' => '?1',
    'Upload-Draft-Interop-Version' => ' 8;a', 'Content-Length' => 10);
is($c->next_104->{headers}{'upload-draft-interop-version'}, 8,
    'a parameter means nothing');

# progress: offsets that are kept, each larger, without Location; how many
# there are is up to the disk
sub progress {
    my ($name, $r, $size, $first) = @_;
    my @offsets = map { $_->{headers}{'upload-offset'} }
        @{ $r->{interim} }[$first .. $#{ $r->{interim} }];
    my $last = 0;
    my $grows = 1;
    for (@offsets) {
        $grows = 0 if !defined || $_ <= $last || $_ > $size;
        $last = $_ // 0;
    }
    ok($grows, "$name: they grow: @offsets");
    ok(!grep({ $_->{headers}{location} }
        @{ $r->{interim} }[$first .. $#{ $r->{interim} }]),
        "$name: without Location");
}
my $half = substr $bytes, 0, length($bytes) / 2;
for my $v (3, 5, 6, 8) {
    for my $port (0, $h2) {
        my $name = "version $v" . ($port ? ' over HTTP/2' : '');
        my $r = $port
            ? ask_h2($t, $port, 'POST', to(), $half, Ietf::flag($v, 1))
            : ask($t, 'POST', to(), $half, Ietf::flag($v, 1));
        has_status($r, 200, undef, "$name: creation");
        progress("$name: creation", $r, length $half, 1);
        ok(source($t, $r) eq $half, "$name: creation: the bytes");

        my $url = create($t, $v);
        my @append = ('PATCH', $url, $half, Ietf::flag($v, 1), %partial,
            'Upload-Offset' => 0);
        $r = $port ? ask_h2($t, $port, @append) : ask($t, @append);
        has_status($r, 200, undef, "$name: append");
        progress("$name: append", $r, length $half, 0);
        ok(source($t, $r) eq $half, "$name: append: the bytes");
    }
}

# a client that is no faster than the disk hears every few MiB
my $url = create($t, 8);
$c = Ietf::begin($t, 'PATCH', $url, Ietf::flag(8, 1), %partial,
    'Upload-Offset' => 0, 'Content-Length' => length $bytes);
my @told = (0);
for my $at (map { $_ << 20 } 0 .. 23) {
    $c->put(substr $bytes, $at, 1 << 20);
    while (my $i = $c->next_head($at == 23 << 20 ? 5 : 0.1)) {
        last if $i->{status} != 104;
        push @told, $i->{headers}{'upload-offset'};
    }
}
my ($most) = sort { $b <=> $a } map { $told[$_] - $told[$_ - 1] } 1 .. $#told;
cmp_ok($most, '<=', 9 << 20, "a slow client is told: @told");
cmp_ok(scalar @told, '>=', 4, 'a slow client is told often');

# what was told survives the process, at any time
for my $round (1 .. 3) {
    $c = Ietf::begin($t, 'POST', to(), Ietf::flag(8, 1),
        'Content-Length' => length $bytes);
    my $url = $c->next_104->{headers}{location};
    my ($sent, $told) = (0, 0);
    while ($told < 4 << 20) {
        $c->put(substr $bytes, $sent, 1 << 20);
        $sent += 1 << 20;
        while (my $i = $c->next_head(0.05)) {
            $told = $i->{headers}{'upload-offset'};
        }
        last if $sent > 20 << 20;
    }
    cmp_ok($told, '>=', 4 << 20, "round $round: told on the way");
    kill 'KILL', $t->workers;
    wait_for(sub { at($url) }, 'new workers');
    my $at = at($url);
    cmp_ok($at, '>=', $told, "round $round: kept ($told told, $at of $sent)");
    cmp_ok($at, '<=', $sent, "round $round: and no more");
    my $r = ask($t, 'PATCH', $url, substr($bytes, $at), Ietf::flag(8, 1),
        %partial, 'Upload-Offset' => $at);
    has_status($r, 200, undef, "round $round: the rest");
    ok(source($t, $r) eq $bytes, "round $round: the bytes");
}

# a socket that is slow on purpose: they precede the answer, in order
$c = Ietf::begin($t, 'POST', to('/limit/'), Ietf::flag(8, 1),
    'Content-Length' => length $bytes);
$c->put($bytes);
my $r = $c->answer;
has_status($r, 200, undef, 'limit_rate');
is($r->{interim}[0]{status}, 104, 'limit_rate: 104 before it');
ok(source($t, $r) eq $bytes, 'limit_rate: the bytes');

# TLS
spew("$t->{dir}/body", $bytes);
for my $http ('--http1.1', '--http2') {
    my $url = to();
    my $out = `curl -sk $http -D - --data-binary \@$t->{dir}/body \\
        -H 'Expect:' -H 'Upload-Draft-Interop-Version: 8' \\
        -H 'Upload-Complete: ?1' -H 'Host: 127.0.0.1:$t->{port}' \\
        'https://127.0.0.1:$tls$url'`;
    like($out, qr{\AHTTP/\S+ 104 [^\n]*\n(\S+: [^\n]*\n)*?location: /}i,
        "TLS, $http: 104");
    like($out, qr{^HTTP/\S+ 200}m, "TLS, $http: 200");
    ok($out =~ /reel-asset: (\S+)\r/ && source($t, { headers =>
        { 'reel-asset' => $1 } }) eq $bytes, "TLS, $http: the bytes");
}

# many streams of one connection
my @curl = ('curl', '-sZ', '--stderr', '/dev/null', '--http2-prior-knowledge', '--max-time', 60);
my $file = "$t->{dir}/many";
for my $n (1 .. 8) {
    push @curl, '--next' if $n > 1;
    push @curl, '-H', "Host: 127.0.0.1:$t->{port}", '-H', 'Expect:',
        '-H', 'Upload-Draft-Interop-Version: 8', '-H', 'Upload-Complete: ?1',
        '-D', "$file$n", '-o', '/dev/null', '--data-binary',
        "\@$t->{dir}/body", "http://127.0.0.1:$h2" . to();
}
is(system(@curl), 0, 'eight streams at once');
for my $n (1 .. 8) {
    my $out = slurp("$file$n");
    like($out, qr{\AHTTP/2 104 }, "stream $n: 104");
    ok($out =~ /reel-asset: (\S+)\r/ && source($t, { headers =>
        { 'reel-asset' => $1 } }) eq $bytes, "stream $n: the bytes");
}

unlike($t->log, qr{\[(error|crit|alert|emerg)\] (?!.*(client|reset|exited))},
    'nothing else is logged');

done_testing;
