# SPDX-License-Identifier: Apache-2.0
#
# Cache-Status (RFC 9211) on every response, with the reason where it did not come out of the cache.
use strict;
use warnings;

use Storer::Test;
use Test::More;

sub status_of { my $response = shift; return $response->header('Cache-Status') || '' }

my $target = target('/220/plain', cc => 'max-age=600', etag => 'auto');
like(status_of(fetch($target)), qr/\Astorer; fwd=uri-miss; stored; ttl=(600|5\d\d)\z/, 'a miss');
like(status_of(fetch($target)), qr/\Astorer; hit; ttl=(600|59\d)\z/, 'a hit');
like(status_of(fetch($target, method => 'HEAD')), qr/\Astorer; hit; ttl=/, 'HEAD');
like(status_of(fetch($target, headers => [ 'Cache-Control' => 'max-age=0' ])),
    qr/\Astorer; fwd=request; fwd-status=304; stored; ttl=(600|5\d\d)\z/, 'a revalidation');
my $etag = fetch($target)->header('ETag');
my $not_modified = fetch($target, headers => [ 'If-None-Match' => $etag ]);
is($not_modified->status, 304, 'a conditional hit');
like(status_of($not_modified), qr/\Astorer; hit; ttl=/, 'has it as well');

for my $case (
    [ 'POST',          [ method => 'POST', body => 'x' ],                 qr/fwd=method/ ],
    [ 'OPTIONS',       [ method => 'OPTIONS' ],                           qr/fwd=method/ ],
    [ 'no-store',      [ headers => [ 'Cache-Control' => 'no-store' ] ],  qr/fwd=request/ ],
    [ 'no-cache',      [ headers => [ 'Cache-Control' => 'no-cache' ] ],  qr/fwd=request/ ],
) {
    my ($name, $options, $want) = @$case;
    fetch($target);
    like(status_of(fetch($target, @$options)), qr/\Astorer; $want/, $name);
}
for my $case (
    [ 'private',  [ cc => 'private, max-age=60' ] ],
    [ 'no-store', [ cc => 'no-store' ] ],
    [ 'cookie',   [ cc => 'max-age=60', h => 'Set-Cookie: a=b' ] ],
    [ 'nothing',  [] ],
) {
    my ($name, $parameters) = @$case;
    is(status_of(fetch(target("/220/$name", @$parameters))), 'storer; fwd=uri-miss', "$name: not stored");
}
my $vary = target('/220/vary', cc => 'max-age=60', vary => 'X-Group');
fetch($vary, headers => [ 'X-Group' => 'a' ]);
like(status_of(fetch($vary, headers => [ 'X-Group' => 'b' ])), qr/\Astorer; fwd=vary-miss; stored/,
    'another variant');
my $stale = target('/220/stale', cc => 'max-age=60', h => 'Age: 100', etag => 'auto');
fetch($stale);
like(status_of(fetch($stale)), qr/\Astorer; fwd=stale; fwd-status=304; stored/, 'a stale one');
is(status_of(fetch(target('/220/missing', status => 404))), 'storer; fwd=uri-miss', 'an error');
is(status_of(fetch('/220/local-error', host => 'local.test')), 'storer; fwd=uri-miss',
    'an error of httpd itself');
my $bypass = fetch(target('/220/bypass', cc => 'max-age=60'), host => 'bypass.test',
    headers => [ Cookie => 'session=1' ]);
is(status_of($bypass), 'storer; fwd=bypass', 'CacheStorerBypass');

# another cache before us
my $chain = target('/220/chain', cc => 'max-age=60', h => 'Cache-Status: Origin; hit');
is(status_of(fetch($chain)) =~ s/ttl=\d+/ttl=N/r, 'Origin; hit, storer; fwd=uri-miss; stored; ttl=N',
    'ours comes last');
like(status_of(fetch($chain)), qr/\AOrigin; hit, storer; hit; ttl=\d+\z/, 'and on a hit');

# configured
my @named = (host => 'status-named.test');
my $named = target('/220/named', cc => 'max-age=60');
like(status_of(fetch($named, @named)),
    qr{\A"My cache"; fwd=uri-miss; stored; ttl=\d+; key="http://status-named\.test:\d+/220/named\?cc=max-age%3D60"\z},
    'another name, and the key');
like(status_of(fetch(target('/220/why', cc => 'private, max-age=60'), @named)),
    qr/; detail="Cache-Control: private present"\z/, 'and the reason');
is(status_of(fetch($named, host => 'status-off.test')), '', 'off');

# the environment, for logs
fetch($named, @named, headers => [ 'X-Environment' => 1 ]) for 1 .. 2;
wait_for('the log', sub { read_log() =~ /220.named.*220.named/s });
my @lines = grep { m{/220/named} } split /\n/, read_log();
like($lines[-1], qr{\AMEMORY http://status-named\.test:\d+/220/named\?\S+ \d+ -\z},
    'the environment of a hit');

sub read_log { return Storer::Log::read_from(vars->{t_logs} . '/environment_log', 0) }

# what was bypassed is neither stored nor served
is(requests('/220/bypass'), 1, 'a bypassed request');
fetch(target('/220/bypass', cc => 'max-age=60'), host => 'bypass.test');
is(requests('/220/bypass'), 2, 'is not stored');
is_cache(fetch(target('/220/bypass', cc => 'max-age=60'), host => 'bypass.test'), 'HIT', 'one without');
fetch(target('/220/bypass', cc => 'max-age=60'), host => 'bypass.test',
    headers => [ Cookie => 'session=1' ]);
is(requests('/220/bypass'), 3, 'and is not served what is');

# targets without a path
for my $case ([ 'GET', 'http://127.0.0.1' ], [ 'CONNECT', '127.0.0.1:1' ], [ 'OPTIONS', '*' ]) {
    my ($method, $where) = @$case;
    my $connection = connection();
    my $response = $connection->request($method, $where, headers => [ Connection => 'close' ]);
    ok($response, "$method $where: an answer");
    $connection->close;
}

finish();
