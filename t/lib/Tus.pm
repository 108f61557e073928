package Tus;

# tus 1.0.0 for the tests of its door: requests with their version, and an
# upload made by one call.

use strict;
use warnings;

use Exporter qw(import);
use MIME::Base64 qw(encode_base64);
use Reel;

our @EXPORT = qw(tus create patch offset metadata asset_source held_patch);

our $TYPE = 'application/offset+octet-stream';


# http() with Tus-Resumable, which o{headers} may replace
sub tus {
    my ($t, $method, $target, %o) = @_;
    my %h = ('Tus-Resumable' => '1.0.0', %{ delete $o{headers} || {} });
    return http($t, $method, $target, headers => \%h, %o);
}


# the URL of a new upload below a bucket; o: headers, length, query, path
sub create {
    my ($t, $length, %o) = @_;
    my $path = delete $o{path} // '/upload/video/';
    my %h = (%{ delete $o{headers} || {} });
    $h{'Upload-Length'} = $length if defined $length;
    my $r = tus($t, 'POST', presign($t, 'POST', $path,
        query => delete $o{query}), headers => \%h, %o);
    die "creation: $r->{raw}" if $r->{status} != 201;
    return $r->{headers}{location};
}


sub patch {
    my ($t, $url, $offset, $body, %h) = @_;
    return tus($t, 'PATCH', $url, body => $body, headers => {
        'Content-Type' => $TYPE, 'Upload-Offset' => $offset, %h });
}


# what HEAD says; undef when it says nothing
sub offset {
    my ($t, $url) = @_;
    return tus($t, 'HEAD', $url)->{headers}{'upload-offset'};
}


sub metadata {
    my (%m) = @_;
    return join ',', map { defined $m{$_}
        ? "$_ " . encode_base64($m{$_}, '') : $_ } sort keys %m;
}


sub asset_source {
    my ($t, $asset) = @_;
    return "$t->{dir}/store/assets/" . substr($asset, -2) . "/$asset/source";
}


# a socket on which a PATCH of `length` bytes has brought `part` so far
sub held_patch {
    my ($t, $url, $offset, $length, $part) = @_;
    my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$t->{port}")
        or die "connect: $!";
    print $s "PATCH $url HTTP/1.1\r\nHost: x\r\nTus-Resumable: 1.0.0\r\n"
        . "Content-Type: $TYPE\r\nUpload-Offset: $offset\r\n"
        . "Content-Length: $length\r\n\r\n$part";
    $s->flush;
    return $s;
}

1;
