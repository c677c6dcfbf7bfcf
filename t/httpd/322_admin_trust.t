# SPDX-License-Identifier: Apache-2.0
#
# Whom the admin API, the metrics and PURGE trust: nobody where access control lets everybody in, by whatever
# module; nobody who calls the server by a name that it does not have; and the counters' file is for
# httpd's own user.
use strict;
use warnings;

use Storer::Test;
use Test::More;

my @host = (host => 'let-in.test');

# ---- access control that lets everybody in --------------------------------------------------------

for my $place (qw(open-satisfy open-allow open-deny open-not open-metrics)) {
    expect_log(qr/CS0521.* is refused for \/$place: everybody may do it/,
        $place eq 'open-metrics' ? () : qr/CS0521.* is refused for \/$place\/flush: everybody/);
    is(fetch("/$place", @host)->status, 403, "$place: refused");
    next if $place eq 'open-metrics';
    is(fetch("/$place/flush", @host, method => 'PURGE')->status, 403, "$place: nor a purge");
}
expect_log(qr/access_compat:error.*AH01797.*closed-satisfy/); # which Require then lets in
for my $place (qw(closed-order closed-satisfy closed-both)) {
    is(fetch("/$place", @host)->status, 200, "$place: served");
}
expect_log(qr/CS0521.*PURGE is refused for \/322\/purge-open: everybody may.*AuthMerging And.*Limit PURGE/);
is(fetch('/322/purge-open', @host, method => 'PURGE')->status, 403, 'PURGE: refused as well');

# ---- names ----------------------------------------------------------------------------------------

expect_log(qr/CS0820.*administration is refused under the host name evil\.test/,
    qr/CS0820.*cache-storer-metrics is refused under the host name evil\.test/);
for my $path ('/cache-main', '/cache-main/stats', '/cache-main?pattern=x', '/cache-metrics-main') {
    is(fetch($path, address => '127.0.0.2', host => 'evil.test')->status, 403,
        "$path: not under a name that is not ours");
    isnt(fetch($path, address => '127.0.0.2', host => 'evil.test',
        headers => [ 'Sec-Cache-Storer' => '1' ])->status, 403, "$path: unless no browser asks");
    isnt(fetch($path, address => '127.0.0.2', host => $_)->status, 403, "$path: under $_")
        for '127.0.0.2', 'localhost:' . vars()->{port}, '[::1]:80';
}
expect_log(qr/CS0820.*host name evil\.example/);
is(fetch('/cache-names', address => '127.0.0.3', host => $_)->status, 200, "an own name: $_")
    for qw(names.test NAMES.test names.test:80 alias.names.test a.wild.test 127.0.0.3);
is(fetch('/cache-names', address => '127.0.0.3', host => 'evil.example')->status, 403,
    'ServerAlias * does not make every name an own one');

{
    # HTTP/1.0 without a name: no browser
    my $connection = connection(address => '127.0.0.3');
    print { $connection->{socket} } "GET /cache-names HTTP/1.0\r\n\r\n";
    $connection->{method} = 'GET';
    is($connection->head->status, 200, 'no name at all');
    $connection->close;
}

# ---- PURGE for a page of another site -------------------------------------------------------------

{
    my $target = target('/322/cross', cc => 'max-age=600');
    fetch($target, host => 'purge.test');
    expect_log(qr/CS0544.*page of another site asks for a purge/);
    for my $fields ([ Origin => 'http://evil.test' ], [ 'Sec-Fetch-Site' => 'cross-site' ]) {
        is(fetch($target, host => 'purge.test', method => 'PURGE',
            headers => [ 'X-Pass' => 'open', @$fields ])->status, 403, "PURGE with $$fields[0]");
    }
    is_cache(fetch($target, host => 'purge.test'), 'HIT', 'purges nothing');
}

# ---- the counters' file ---------------------------------------------------------------------------

is((stat vars()->{t_logs} . '/cache_storer.stats')[2] & 0077, 0, 'the counters are not for everybody');

finish();
