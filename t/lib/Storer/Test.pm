# SPDX-License-Identifier: Apache-2.0
#
# Storer::Test - what every test of t/httpd uses: requests to the server that Apache::Test runs,
# the origin's controls, bodies and X-Cache checked, and at the end of each file the error log.
#
# Each file has paths of its own (/NNN/...), so that files neither meet nor have an order.
package Storer::Test;

use strict;
use warnings;

use Apache::Test ();
use Exporter 'import';
use Storer::Client qw(body_identity body_text);
use Storer::Log qw(read_from children_of unexpected_lines);
use Storer::Wait qw(until_true);
use Test::More;

our @EXPORT = qw(
    vars target fetch connection origin requests sent not_modified last_request control open_gate
    wait_for arrived
    is_cache is_body body_of from_origin
    expect_log log_since log_mark finish access_lines graceful signal_graceful
    children configtest run_httpd write_file
);

use constant PATIENCE => 30;

my $vars = Apache::Test::config()->{vars};
my $log_start = -s error_log() || 0;
my @expected;

sub vars { return $vars }

sub error_log { return "$vars->{t_logs}/error_log" }

# ---- requests ------------------------------------------------------------------------------------

sub _escape {
    my $text = shift;
    $text =~ s/([^A-Za-z0-9_.\/@*:"=-])/sprintf '%%%02X', ord $1/ge;
    $text =~ s/=/%3D/g;
    $text =~ s/"/%22/g;
    return $text;
}

# target('/path', body => 100, vary => ['A', 'B']): the parameters are t/origin/response.h's
sub target {
    my ($path, @parameters) = @_;
    my @query;
    while (my ($name, $value) = splice @parameters, 0, 2) {
        push @query, map { "$name=" . _escape($_) } ref $value ? @$value : $value;
    }
    return @query ? "$path?" . join '&', @query : $path;
}

sub connection { return Storer::Client->new(port => $vars->{port}, @_) }

# One exchange on a connection of its own. method, host, headers, body, address, from: see
# Storer::Client. It waits for the end of the connection, not only of the body: by then the server is
# through with the request, and has stored what it stores.
sub fetch {
    my ($target, %option) = @_;
    my $connection = connection(map { $_ => delete $option{$_} } qw(address from));
    my $method = delete $option{method} || 'GET';
    my @headers = (@{ delete $option{headers} || [] }, Connection => 'close');
    my $response = $connection->request($method, $target, headers => \@headers, %option);
    $connection->drain;
    $connection->close;
    BAIL_OUT("no answer to $method $target") unless $response;
    return $response;
}

# ---- the origin ----------------------------------------------------------------------------------

sub origin {
    my ($method, $target) = @_;
    my $connection = Storer::Client->new(port => $vars->{origin_port});
    my $response = $connection->request($method, $target, headers => [ Connection => 'close' ],
        $method eq 'GET' ? () : (body => ''));
    $connection->close;
    die "origin: no answer to $method $target" unless $response && $response->status == 200;
    return $response->content;
}

# How many requests of a path have reached the origin.
sub requests     { return 0 + origin(GET => target('/count', path => shift)) }
sub sent         { return 0 + origin(GET => target('/sent', path => shift)) }
sub not_modified { return 0 + origin(GET => target('/not-modified', path => shift)) }
sub last_request { return origin(GET => target('/last', path => shift)) }
sub arrived      { return 0 + origin(GET => target('/arrived', gate => shift)) }
sub open_gate    { return origin(POST => target('/open', gate => shift)) }

# From now on these parameters override those in the path's URLs.
sub control {
    my ($path, @parameters) = @_;
    return origin(PUT => target("/control$path", @parameters));
}

# Wait until the code says true: never longer than needed, and not for ever.
sub wait_for {
    my ($what, $code) = @_;
    my $result = until_true(PATIENCE, $code);
    fail("waited in vain for $what") if !$result;
    return $result;
}

# ---- checks --------------------------------------------------------------------------------------

sub is_cache {
    my ($response, $want, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return is($response->cache, $want, "$name: $want");
}

sub _size {
    my $size = shift;
    return $1 * ($2 eq 'K' ? 1024 : 1024 * 1024) if $size =~ /\A(\d+)([KM])\z/;
    return $size;
}

# The bytes of a path's content: size => N, seed => TEXT, variant => 'value|value'
sub body_of {
    my ($path, %option) = @_;
    my $identity = body_identity($path, defined $option{seed} ? $option{seed} : 1,
        defined $option{variant} ? $option{variant} : '');
    return body_text($identity, _size(defined $option{size} ? $option{size} : 64));
}

# The response is whole and its body is the path's; the first difference is told, not the bodies.
sub is_body {
    my ($response, $path, %option) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $name = delete $option{name} || "$path: the body";
    my $want = defined $option{text} ? $option{text} : body_of($path, %option);
    my $got = $response->content;

    if (!$response->complete) {
        diag('cut off after ' . length($got) . ' bytes');
        return fail($name);
    }
    return pass($name) if $got eq $want;
    my $common = $got ^ $want;
    $common =~ /\A\0*/;
    diag(sprintf 'length %d, want %d; first difference at %d: "%s", want "%s"', length $got,
        length $want, $+[0], substr($got, $+[0], 70), substr $want, $+[0], 70);
    return fail($name);
}

# Run the code; so many requests of the path must have reached the origin meanwhile.
sub from_origin {
    my ($path, $want, $name, $code) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $before = requests($path);
    my @result = $code->();
    is(requests($path) - $before, $want, "$name: $want from the origin");
    return wantarray ? @result : $result[0];
}

# ---- logs ----------------------------------------------------------------------------------------

sub log_mark { return -s error_log() || 0 }
sub log_since { return read_from(error_log(), shift) }

# Lines that this file provokes: they must appear, or the file fails.
sub expect_log {
    push @expected, map { { pattern => $_, seen => 0 } } @_;
    return;
}

# The last call of each file.
sub finish {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    # the lines of the requests so far are there once a later request was answered
    fetch('/finish');
    my @unexpected = unexpected_lines(error_log(), $log_start, \@expected);
    ok(!@unexpected, 'nothing unexpected in the error log');
    diag($_) for @unexpected[0 .. ($#unexpected < 9 ? $#unexpected : 9)];
    ok($_->{seen}, "the error log has $_->{pattern}") for @expected;
    return done_testing();
}

# The access log's lines of requests with this X-Request header: [pid, status, path], once there are
# as many as that.
sub access_lines {
    my ($id, $count) = @_;
    my @lines;
    wait_for("$count lines of $id in the access log", sub {
        @lines = map { [ split / / ] }
            grep { / \Q$id\E\z/ } split /\n/, read_from("$vars->{t_logs}/requests_log", 0);
        return @lines >= $count;
    });
    return @lines;
}

# ---- the server ----------------------------------------------------------------------------------

sub _server_pid {
    my $pid = read_from($vars->{t_pid_file}, 0);
    chomp $pid;
    return $pid;
}

# The pids of httpd's children.
sub children {
    return children_of(_server_pid());
}

# Ask for a graceful restart, and wait until the parent has done its part.
sub signal_graceful {
    my $mark = log_mark();
    kill USR1 => _server_pid() or die "no server to restart: $!";
    return wait_for('the graceful restart', sub {
        log_since($mark) =~ /resuming normal operations/;
    });
}

# A graceful restart, and the end of all children that were there before.
sub graceful {
    my %before = map { $_ => 1 } children();
    signal_graceful();
    return wait_for('new children', sub {
        my @children = children();
        return @children && !grep { $before{$_} } @children;
    });
}

sub write_file {
    my ($file, $text) = @_;
    open my $handle, '>', $file or die "$file: $!";
    print $handle $text;
    close $handle or die "$file: $!";
    return $file;
}

# httpd's exit code and output with a configuration of its own, e.g. run_httpd($text, '-t').
sub run_httpd {
    my ($text, @arguments) = @_;
    my $file = write_file("$vars->{t_logs}/run_httpd.conf", $text);
    my $pid = open my $pipe, '-|';
    die "fork: $!" unless defined $pid;
    if ($pid == 0) {
        open STDERR, '>&', \*STDOUT;
        exec $vars->{httpd}, '-d', $vars->{serverroot}, '-f', $file, @arguments;
        exit 127;
    }
    my $output = do { local $/ = undef; <$pipe> };
    close $pipe;
    return ($? >> 8, defined $output ? $output : '');
}

# Exit code and output of `httpd -t` with this text in the main server.
sub configtest {
    my $text = shift;
    return run_httpd("Include \"$vars->{t_conf}/modules.conf\"\nServerName 127.0.0.1\n"
        . "Listen 127.0.0.1:$vars->{port}\nDefaultRuntimeDir \"$vars->{t_logs}\"\n"
        . "ErrorLog /dev/stderr\n$text\n", '-t');
}

1;
