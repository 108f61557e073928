package Rates;

# What a master playlist says of bit rates, and what is sent.

use strict;
use warnings;
use Exporter 'import';
use Reel;

our @EXPORT = qw(rates);

# (peak, average) of the whole segments of a playlist, in bits a second
sub measured {
    my ($t, $list) = @_;
    (my $base = $list) =~ s{[^/]*$}{};
    my ($peak, $bytes, $time) = (0, 0, 0);
    my $text = http($t, 'GET', $list)->{body};
    while ($text =~ /^#EXTINF:([\d.]+),\n(?:#.*\n)*(\S+)$/mg) {
        my $n = length http($t, 'GET', "$base$2")->{body};
        $peak = $n * 8 / $1 if $1 > 3 && $n * 8 / $1 > $peak;
        $bytes += $n;
        $time += $1;
    }
    return ($peak, $bytes * 8 / $time);
}

# rates($t, folder of master.m3u8): a list of {name, told, peak, average_told,
# average}, with the largest sound that goes with the pictures
sub rates {
    my ($t, $folder) = @_;
    my $master = http($t, 'GET', "$folder/master.m3u8")->{body};
    my ($sound, $mean) = (0, 0);
    for my $uri ($master =~ /TYPE=AUDIO.*URI="([^"]+)"/g) {
        my ($p, $m) = measured($t, "$folder/$uri");
        $sound = $p if $p > $sound;
        $mean = $m if $m > $mean;
    }
    my @rates;
    while ($master =~ /:BANDWIDTH=(\d+),AVERAGE-BANDWIDTH=(\d+),.*\n(v.*)/g)
    {
        my ($told, $average, $uri) = ($1, $2, $3);
        my ($p, $m) = measured($t, "$folder/$uri");
        my ($name) = $uri =~ /^(\w+)~/;
        push @rates, { name => $name, told => $told, peak => $p + $sound,
            average_told => $average, average => $m + $mean };
    }
    return @rates;
}

1;
