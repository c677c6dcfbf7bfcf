# SPDX-License-Identifier: Apache-2.0
#
# storerctl prints URLs, fields and messages that come from clients and origins: no byte of them reaches
# the terminal as a command to it, by the API and from a store in a file.
use strict;
use warnings;

use JSON::PP ();
use Storer::Test;
use Storer::Tool;
use Test::More;

plan skip_all => 'storerctl is not built: there is no libcurl' unless tool_is_built();

my $port = vars->{port};
my $logs = vars->{t_logs};
my $store = "$logs/trust.mem";

# All that it prints, to both of its channels.
sub run {
    my (undef, $output, $errors) = run_tool(@_);
    return $output . $errors;
}

# Of a line feed, only those at the end of storerctl's own lines.
sub is_harmless {
    my ($output, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    unlike($output, qr/[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]/, "$name: no control character");
    return unlike($output, qr/^spoofed/m, "$name: no line that a client has written");
}

# ESC, a line feed, CSI in UTF-8, and a byte that is no UTF-8
my $path = '/390/a%1b[31mred%0aspoofed%c2%9b2J%ff';
my $query = '?cc=max-age%3D600&h=Surrogate-Key%3A%20390-tag';

for my $host (qw(trust.test admin.test)) {
    fetch("$path$query", host => $host);
    is_cache(fetch("$path$query", host => $host), 'HIT', "$host: it is stored");
}
for my $way ([ '--store', $store ], [ '--url', "http://127.0.0.2:$port/cache-main" ]) {
    my $output = run(@$way, 'list', '/390/');
    like($output, qr/390.*red/, "$way->[0]: listed");
    is_harmless($output, "$way->[0] list");
    $output = run(@$way, '--json', 'list', '/390/');
    my @keys = map { JSON::PP->new->utf8->allow_nonref->decode($_) } split /\n/, $output;
    ok(scalar @keys, "$way->[0]: keys as JSON");
    is_harmless($output, "$way->[0] list --json");
    is_harmless(run(@$way, 'show', 'http://' . ($way->[0] eq '--store' ? 'trust.test' : 'admin.test')
        . "$path$query"), "$way->[0] show");
    is_harmless(run(@$way, 'show', "http://trust.test/\e[31m\nspoofed"), "$way->[0] show: its own arguments");
}
is_harmless(run('check', "$logs/\e[31m\nspoofed"), 'check');
is_harmless(run('warm', write_file("$logs/390-list", "http://127.0.0.1:1/\e[31m\r\x7fx\n")), 'warm');
is_harmless(run('warm', write_file("$logs/390-list", "ftp://\e[31m\n")), 'warm: a line that is no URL');

finish();
