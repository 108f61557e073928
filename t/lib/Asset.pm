package Asset;

# An asset that tests/tools/mkasset put into the store of a test's nginx,
# and the bytes that its segments must have: cut out of the objects by what
# the tool printed, not by the index.

use strict;
use warnings;

use File::Basename qw(dirname);
use Reel;

our $TOOL = $ENV{REEL_MKASSET}
    || ($ENV{REEL_MODULE} ? dirname($ENV{REEL_MODULE}) : "$Reel::TOP/build")
       . '/tests/tools/mkasset';

my $made = 0;


sub new_id { return sprintf '01hreetest%016d', ++$made; }


# Asset->new($t, id => …, publication => 2, growing => 1, …)
sub new {
    my ($class, $t, %o) = @_;
    my $self = bless { t => $t, id => delete $o{id} // new_id(),
        renditions => delete $o{renditions}
            // ['v720:video:40000', 'a128:audio:8000'] }, $class;
    return $self->make(%o);
}


# publishes (again) with these options; what was printed replaces the old
sub make {
    my ($self, %o) = @_;
    open my $p, '-|', $TOOL, "$self->{t}{dir}/store", $self->{id},
        (map { "$_=$o{$_}" } sort keys %o), @{ $self->{renditions} }
        or die "$TOOL: $!";
    $self->{fragment} = {};
    while (<$p>) {
        my ($what, $r, @rest) = split;
        if ($what eq 'hash') {
            $self->{hash}{$r} = $rest[0];
        } elsif ($what eq 'fragment') {
            my ($k, $object, $off, $size) = @rest;
            $self->{fragment}{$r}[$k] = [$object, $off, $size];
        } elsif ($what eq 'init') {
            $self->{init}{$r} //= [$rest[0], 0, $rest[2]];
        } elsif ($what eq 'poster') {
            $self->{poster} = [$rest[0], 0, $rest[2]];
        } elsif ($what eq 'sheet') {
            my ($i, @piece) = @rest;
            $self->{sheet}{$r}[$i] = [@piece];
        }
    }
    close $p or die "$TOOL failed";
    return $self;
}


sub dir {
    my ($self) = @_;
    return "$self->{t}{dir}/store/assets/" . substr($self->{id}, -2)
        . "/$self->{id}";
}


sub file { my ($self, $name) = @_; return $self->dir . "/$name"; }


# the target of something below the asset; per: with the version's hash
sub url {
    my ($self, $name, $rendition, $per) = @_;
    my $url = "/play/$self->{id}";
    $url .= "/$rendition" if defined $rendition;
    $url .= "~$self->{hash}{$per}" if defined $per;
    return "$url/$name";
}


sub cut {
    my ($self, $folder, $piece) = @_;
    my ($object, $off, $size) = @$piece;
    return substr slurp($self->file("$folder/$object")), $off, $size;
}


# the bytes of segment n, of `per` fragments; undef past the end
sub segment {
    my ($self, $r, $n, $per) = @_;
    my @all = @{ $self->{fragment}{$r} };
    my ($first, $last) = ($n * $per, $n * $per + $per - 1);
    return undef if $first > $#all;
    $last = $#all if $last > $#all;
    return join '', map { $self->cut($r, $_) } @all[$first .. $last];
}


sub init_bytes { my ($s, $r) = @_; return $s->cut($r, $s->{init}{$r}); }
sub sheet_bytes {
    my ($s, $pictures, $i) = @_;
    return $s->cut('image', $s->{sheet}{$pictures}[$i]);
}
sub poster_bytes { my ($s) = @_; return $s->cut('image', $s->{poster}); }


sub objects {
    my ($self, $r) = @_;
    my %seen;
    return grep { !$seen{$_}++ } map { $_->[0] } @{ $self->{fragment}{$r} };
}

1;
