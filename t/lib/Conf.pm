package Conf;

# nginx's configuration files put to the test with Debian's own binary: only
# paths, the port and the module are replaced, and each of those must stand.

use strict;
use warnings;

use File::Path qw(make_path);
use Reel;

our @ISA = ('Reel');


# an nginx that is not started; config => the text for nginx_start
sub new {
    my ($class, %o) = @_;
    my $self = Reel::new($class, idle => 1, %o);
    make_path(map { "$self->{dir}/$_" } 'log', 'conf', 'bin', 'web');
    return $self;
}


sub config { my ($self) = @_; return $self->{text}; }


sub module {
    return $ENV{REEL_MODULE} || "$Reel::TOP/build/ngx_http_reel_module.so";
}


# what Debian's nginx has compiled in, which a test must not touch
sub own_paths {
    my ($self) = @_;
    my $d = $self->{dir};
    return join '', "access_log $d/log/access.log;\n",
        map { "${_}_temp_path $d/tmp/$_;\n" }
        qw(client_body proxy fastcgi uwsgi scgi);
}


# replaces each once, in a text that must have it
sub replace {
    my ($text, %by) = @_;
    for (sort keys %by) {
        my $n = () = $text =~ /\Q$_\E/g;
        die "\"$_\" stands there $n times\n" if $n != 1;
        $text =~ s/\Q$_\E/$by{$_}/;
    }
    return $text;
}


# the lines that conf/nginx.conf and the README share
sub own_places {
    my ($self) = @_;
    return ('modules/ngx_http_reel_module.so;' => module() . ';',
        '/var/lib/reel/store;' => "$self->{dir}/store;",
        '/etc/reel/keys.json;' => "$self->{dir}/keys.json;",
        '127.0.0.1:6379;' =>
            "unix:$self->{dir}/redis.sock;");
}


# nginx -t: (well, what it said)
sub check {
    my ($self, $text) = @_;
    my $d = $self->{dir};
    my $nginx = $ENV{REEL_NGINX} || 'nginx';
    my %env = $self->nginx_env;
    local @ENV{keys %env} = values %env;
    Reel::spew("$d/check.conf", $text);
    my $out = `$nginx -t -e $d/check.log -c $d/check.conf 2>&1`;
    return ($? == 0, $out);
}

1;
