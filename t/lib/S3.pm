package S3;

# Calls of S3 to a Reel: signed, with bodies in all the forms clients send.

use strict;
use warnings;

use Compress::Zlib ();
use Digest::SHA qw(sha256_hex hmac_sha256_hex);
use Exporter qw(import);
use MIME::Base64 qw(encode_base64);
use Reel;

our @EXPORT = qw(s3 s3_create s3_part s3_complete s3_list part_list crc32
    frames xml source);


# s3($t, METHOD, target, headers => { signed }, body, payload, key, secret)
sub s3 {
    my ($t, $method, $target, %o) = @_;
    my $body = $o{body};
    my %sign = map { lc $_ => $o{headers}{$_} } keys %{ $o{headers} || {} };
    my $h = signed_headers($t, $method, $target, sign => \%sign,
        map { $_ => $o{$_} } grep { defined $o{$_} } qw(payload key secret));
    return http($t, $method, $target, headers => { %$h,
        %{ $o{unsigned} || {} } }, body => $body // ($method eq 'POST'
        ? '' : undef));
}


# the text of the first element of that name
sub xml {
    my ($r, $name) = @_;
    my ($v) = $r->{body} =~ m{<\Q$name\E>([^<]*)</\Q$name\E>};
    $v //= '';
    $v =~ s/&quot;/"/g;
    return $v;
}


sub s3_create {
    my ($t, $path, %o) = @_;
    return xml(s3($t, 'POST', "$path?uploads", %o), 'UploadId');
}


sub s3_part {
    my ($t, $path, $id, $n, $body, %o) = @_;
    return s3($t, 'PUT', "$path?partNumber=$n&uploadId=$id", body => $body,
        %o);
}


# (number, ETag) … as the document
sub part_list {
    my (@p) = @_;
    my $out = '<CompleteMultipartUpload xmlns='
        . '"http://s3.amazonaws.com/doc/2006-03-01/">';
    while (my ($n, $etag) = splice @p, 0, 2) {
        $out .= "<Part><PartNumber>$n</PartNumber><ETag>$etag</ETag></Part>";
    }
    return "$out</CompleteMultipartUpload>";
}


sub s3_complete {
    my ($t, $path, $id, $list, %o) = @_;
    return s3($t, 'POST', "$path?uploadId=$id", body => ref $list
        ? part_list(@$list) : $list, %o);
}


sub s3_list {
    my ($t, $path, $id, $more) = @_;
    return s3($t, 'GET', "$path?uploadId=$id" . ($more // ''));
}


# the bytes of an asset
sub source {
    my ($t, $asset) = @_;
    return slurp("$t->{dir}/store/assets/" . substr($asset, -2)
        . "/$asset/source");
}


sub crc32 {
    return encode_base64(pack('N', Compress::Zlib::crc32($_[0])), '');
}


# frames($t, METHOD, target, body, signed => 0|1, size, trailer => [n, v],
# headers => {}): headers and bytes of an aws-chunked request
sub frames {
    my ($t, $method, $target, $body, %o) = @_;
    my $kind = $o{signed} ? 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD'
        . ($o{trailer} ? '-TRAILER' : '') : 'STREAMING-UNSIGNED-PAYLOAD-TRAILER';
    my %sign = (%{ $o{headers} || {} });
    $sign{'x-amz-decoded-content-length'} = $o{length} // length $body
        if !$o{no_length};
    $sign{'x-amz-trailer'} = $o{trailer}[0] if $o{trailer};
    my $h = signed_headers($t, $method, $target, sign => \%sign,
        payload => $kind);
    my ($last) = $h->{Authorization} =~ /Signature=(\w+)/;
    my ($scope) = $h->{Authorization} =~ m{Credential=[^/]+/([^,]+)};
    my ($date) = split m{/}, $scope;
    my $key = Reel::_key($Reel::SECRET, $date, 'us-east-1');
    my $sign = sub {
        my ($what, @more) = @_;
        return hmac_sha256_hex(join("\n", "AWS4-HMAC-SHA256-$what",
            $h->{'x-amz-date'}, $scope, $last, @more), $key);
    };

    my ($out, $at, $size) = ('', 0, $o{size} // 65536);
    while (1) {
        my $data = substr $body, $at, $size;
        $at += length $data;
        $out .= sprintf '%x', length $data;
        if ($o{signed}) {
            $last = $sign->('PAYLOAD', sha256_hex(''), sha256_hex($data));
            $out .= ";chunk-signature=$last";
        }
        $out .= "\r\n";
        last if !length $data;
        $out .= "$data\r\n";
    }
    if ($o{trailer}) {
        my $line = "$o{trailer}[0]:$o{trailer}[1]";
        $out .= "$line\r\n";
        $out .= 'x-amz-trailer-signature:' . $sign->('TRAILER',
            sha256_hex("$line\n")) . "\r\n" if $o{signed};
    }
    return ({ %$h, 'Content-Encoding' => 'aws-chunked' }, "$out\r\n");
}

1;
