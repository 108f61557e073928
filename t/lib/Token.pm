package Token;

# playback tokens (HS256), and the file of keys that nginx checks them with

use strict;
use warnings;

use Digest::SHA qw(hmac_sha256);
use Exporter 'import';
use JSON::PP qw(encode_json);
use MIME::Base64 qw(encode_base64url);

our @EXPORT = qw(token key_file);

our %SECRET = (one => '1' x 32, two => '2' x 40);


# token({ claims }, kid => 'two', header => {}, secret => …, exp => undef)
sub token {
    my ($claims, %o) = @_;
    my $kid = $o{kid} // 'one';
    my %claims = (exp => int(time) + 600, %$claims);
    delete $claims{$_} for grep { !defined $claims{$_} } keys %claims;
    my $in = encode_base64url(encode_json({ alg => 'HS256', typ => 'JWT',
        kid => $kid, %{ $o{header} // {} } }), '') . '.'
        . encode_base64url($o{payload} // encode_json(\%claims), '');
    return "$in." . encode_base64url(hmac_sha256($in,
        $o{secret} // $SECRET{$kid} // 'none'), '');
}


# writes the set of keys; those of HS256 by name, others as JWKs
sub key_file {
    my ($file, @keys) = @_;
    my @jwks = map { ref $_ ? $_ : { kid => $_, kty => 'oct',
        k => encode_base64url($SECRET{$_}) } } @keys;
    open my $f, '>', $file or die "$file: $!";
    print $f encode_json({ keys => \@jwks });
    close $f or die;
    chmod 0600, $file;
    return $file;
}

1;
