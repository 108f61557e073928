package Film;

# Films that ffmpeg makes, each but once: t/ runs twice in `make test`, and
# several tests want the same ones.  They lie in build/media under a name that
# says what made them.  And what ffmpeg reads of films and their manifests.

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use Exporter qw(import);
use File::Copy qw(copy);
use File::Path qw(make_path);
use Reel;

our @EXPORT = qw(film ffmpeg stream streams);

my $version;


sub ffmpeg {
    my (@args) = @_;
    local $ENV{SVT_LOG} = 1;
    system('ffmpeg', qw(-nostdin -v error -y), @args) == 0
        or die "ffmpeg: $?";
}


# copies one to `to`; its suffix tells the container
sub film {
    my ($to, @args) = @_;
    my ($suffix) = $to =~ /(\.\w+)\z/;
    $version //= `ffmpeg -version`;
    my $dir = "$Reel::TOP/build/media";
    my $kept = "$dir/" . sha256_hex(join "\0", $version, @args) . $suffix;
    if (!-e $kept) {
        make_path($dir);
        # others may be at it: who is last wins, with the same film
        my $mine = "$dir/$$-" . int(rand 1 << 30) . $suffix;
        ffmpeg(@args, $mine);
        rename $mine, $kept or die "$kept: $!";
    }
    copy($kept, $to) or die "$to: $!";
    return $to;
}


# digests of what is in streams, of files or URLs: [input, "v:0", ...], ...
# One process reads them all; what it could not read has a text instead.
sub streams {
    my @in = @_;
    my (@inputs, @maps, @named);
    for my $n (0 .. $#in) {
        my ($from, @what) = @{ $in[$n] };
        push @inputs, '-i', $from;
        push @maps, map { ('-map', "$n:$_") } @what;
        push @named, map { "none of $from: $_" } @what;
    }
    open my $p, '-|', qw(ffmpeg -v error -nostdin), @inputs, @maps,
        qw(-c copy -f streamhash -hash md5 -) or die;
    my @said = map { /MD5=(\w+)/ } <$p>;
    return @said == @named ? @said : @named;
}

sub stream { my ($in, $what) = @_; return (streams([$in, $what]))[0]; }

1;
