package Ietf;

# A client of the IETF's resumable uploads on a raw socket: it sees interim
# responses, sends its body in pieces, and can be cut off at any byte.

use strict;
use warnings;

use Exporter qw(import);
use IO::Select;
use IO::Socket::INET;
use Reel;
use Time::HiRes qw(time);

our @EXPORT = qw(ask ask_h2 begin create bytes source);


# Ietf->begin($t, METHOD, target, headers): a request whose head was sent
sub begin {
    my ($t, $method, $target, %h) = @_;
    my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1:"
        . (delete $h{port} // $t->{port}), Timeout => 10)
        or die "connect: $!";
    my $self = bless { s => $s, in => '', interim => [],
        method => $method }, __PACKAGE__;
    $self->request($t, $method, $target, %h);
    return $self;
}


sub request {
    my ($self, $t, $method, $target, %h) = @_;
    $self->{method} = $method;
    $self->{interim} = [];
    $self->put("$method $target HTTP/1.1\r\n"
        . "Host: 127.0.0.1:$t->{port}\r\n"
        . join('', map { "$_: $h{$_}\r\n" } sort grep { defined $h{$_} }
            keys %h) . "\r\n");
    return $self;
}


# sends all of it, unless the server has closed
sub put {
    my ($self, $bytes) = @_;
    local $SIG{PIPE} = 'IGNORE';
    my $off = 0;
    while ($off < length $bytes) {
        my $n = syswrite($self->{s}, $bytes, 65536, $off);
        return 0 if !defined $n;
        $off += $n;
    }
    return 1;
}


sub chunk { my ($self, $bytes) = @_;
    return $self->put(sprintf("%x\r\n", length $bytes) . "$bytes\r\n"); }


# more from the socket; 0: nothing within secs, or the end
sub more {
    my ($self, $secs) = @_;
    IO::Select->new($self->{s})->can_read($secs // 20) or return 0;
    my $n = sysread($self->{s}, my $buf, 65536);
    $self->{end} = 1 if !$n;
    $self->{in} .= $buf if $n;
    return $n ? 1 : 0;
}


# the head of the next response, interim or not; undef: none within secs
sub next_head {
    my ($self, $secs) = @_;
    while ($self->{in} !~ /\r\n\r\n/) {
        $self->more($secs) or return undef;
    }
    $self->{in} =~ s/^(.*?)\r\n\r\n//s;
    my ($line, @lines) = split /\r\n/, $1;
    my %h;
    for (@lines) {
        my ($k, $v) = split /:\s*/, $_, 2;
        $h{lc $k} = exists $h{lc $k} ? $h{lc $k} . ", $v" : $v;
    }
    my ($status) = $line =~ m{^HTTP/1\.1 (\d+)};
    return { status => $status // 0, headers => \%h, line => $line };
}


# the next 104; what is between is kept in {interim} too
sub next_104 {
    my ($self, $secs) = @_;
    my $r = $self->next_head($secs) or return undef;
    die "$r->{line} where 104 was expected" if $r->{status} != 104;
    push @{ $self->{interim} }, $r;
    return $r;
}


# the final response; {interim} holds all that came before it
sub answer {
    my ($self, $secs) = @_;
    my $r;
    do {
        $r = $self->next_head($secs)
            or return { status => 0, headers => {}, body => '',
                raw => 'no answer', interim => $self->{interim} };
        push @{ $self->{interim} }, $r if $r->{status} < 200;
    } while ($r->{status} < 200);
    my $n = $self->{method} eq 'HEAD' || $r->{status} == 204 ? 0
        : $r->{headers}{'content-length'} // 0;
    while (length $self->{in} < $n) {
        $self->more($secs) or last;
    }
    $r->{body} = substr $self->{in}, 0, $n, '';
    $r->{raw} = "$r->{line}\n" . join('', map { "$_: $r->{headers}{$_}\n" }
        sort keys %{ $r->{headers} }) . "\n$r->{body}";
    $r->{interim} = $self->{interim};
    return $r;
}


sub cut { my ($self) = @_; close $self->{s}; }


# ask($t, METHOD, target, body, headers): one exchange
sub ask {
    my ($t, $method, $target, $body, %h) = @_;
    $h{'Content-Length'} = length $body
        if defined $body && !$h{'Transfer-Encoding'};
    my $c = begin($t, $method, $target, Connection => 'close', %h);
    if ($h{'Transfer-Encoding'}) {
        $c->chunk($_) for unpack '(a60000)*', $body;
        $c->put("0\r\n\r\n");
    } elsif (defined $body) {
        $c->put($body);
    }
    return $c->answer;
}


# the same by curl and HTTP/2
sub ask_h2 {
    my ($t, $port, $method, $target, $body, %h) = @_;
    my @curl = ('curl', '-s', '--http2-prior-knowledge', '--max-time', 30,
        '-D', "$t->{dir}/h2.head", '-o', "$t->{dir}/h2.body",
        map { ('-H', "$_: $h{$_}") } sort keys %h);
    if (defined $body) {
        spew("$t->{dir}/h2.in", $body);
        push @curl, '--data-binary', "\@$t->{dir}/h2.in", '-H', 'Expect:';
        push @curl, '-H', 'Content-Type:' if !$h{'Content-Type'};
    }
    push @curl, $method eq 'HEAD' ? '-I' : ('-X', $method);
    # 92: the answer came before all of the body was wanted, which some
    # versions of curl take for an error, and may forget the answer over it
    for (1 .. 5) {
        unlink "$t->{dir}/h2.head", "$t->{dir}/h2.body";
        system(@curl, '-H', "Host: 127.0.0.1:$t->{port}",
            "http://127.0.0.1:$port$target");
        last if $? >> 8 != 92 || -s "$t->{dir}/h2.head";
    }
    return { status => 0, raw => "curl: $?", headers => {}, interim => [],
        body => '' } if ($? != 0 && $? >> 8 != 92) || !-s "$t->{dir}/h2.head";
    my $raw = slurp("$t->{dir}/h2.head");
    my @all;
    for my $head (split /\r\n\r\n/, $raw) {
        my ($line, @lines) = split /\r\n/, $head;
        my %f = map { my ($k, $v) = split /:\s*/, $_, 2; (lc $k => $v) }
            @lines;
        my ($status) = $line =~ m{^HTTP/2 (\d+)};
        push @all, { status => $status, headers => \%f };
    }
    my $r = pop @all;
    $r->{interim} = \@all;
    $r->{body} = -e "$t->{dir}/h2.body" ? slurp("$t->{dir}/h2.body") : '';
    $r->{raw} = "$raw$r->{body}";
    return $r;
}


# careful creation: the upload's URL
sub create {
    my ($t, $version, %h) = @_;
    my $query = delete $h{query} || {};
    my $r = ask($t, 'POST', presign($t, 'POST', '/upload/video/',
        query => $query), '', flag($version, 0), %h);
    return $r->{headers}{location};
}


# the fields by which version `v` (0: unnamed) says that this was all, or not
sub flag {
    my ($v, $complete) = @_;
    return ($v ? ('Upload-Draft-Interop-Version' => $v) : (),
        $v == 3 ? ('Upload-Incomplete' => $complete ? '?0' : '?1')
            : ('Upload-Complete' => $complete ? '?1' : '?0'));
}


# n bytes that no shift of them equals
sub bytes {
    my ($n, $seed) = @_;
    my $x = $seed // 1;
    return substr join('', map { pack 'N', $x = ($x * 1103515245 + 12345)
        & 0xffffffff } 0 .. $n / 4), 0, $n;
}


# what was published as the source of the response's asset
sub source {
    my ($t, $r) = @_;
    my $id = $r->{headers}{'reel-asset'} // return undef;
    return slurp("$t->{dir}/store/assets/" . substr($id, -2)
        . "/$id/source");
}

1;
