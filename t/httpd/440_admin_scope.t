# SPDX-License-Identifier: Apache-2.0
#
# Which entries the admin API and storerctl look at: those of the virtual host that is asked, which they
# name, and how many a purge met. In a host of a front controller the API is within reach.
use strict;
use warnings;

use JSON::PP ();
use Storer::Test;
use Storer::Tool;
use Test::More;

my $port = vars->{port};
my $json = JSON::PP->new->utf8->allow_nonref;
my $api = "http://127.0.0.1:$port/cache-scope";

sub stored {
    my ($host, $path, %option) = @_;
    my $target = target($path, cc => 'max-age=600', %option);
    fetch($target, host => $host);
    is_cache(fetch($target, host => $host), 'HIT', "$host$path is stored");
    return $target;
}

sub post {
    my ($host, %message) = @_;
    return fetch('/cache-scope', host => $host, method => 'POST', body => $json->encode(\%message),
        headers => [ 'Content-Type' => 'application/json' ]);
}

sub purged {
    my ($host, %message) = @_;
    return $json->decode(post($host, %message, count => JSON::PP::true)->content)->{purged};
}

# ---- the API -------------------------------------------------------------------------------------

is(fetch('/cache-scope', host => 'scope-a.test')->header('Cache-Storer-Scope'), 'scope-a.test',
    'an answer names the virtual host');
is(fetch('/cache-main', address => '127.0.0.2')->header('Cache-Storer-Scope'), '*',
    'or all of them');

stored('scope-a.test', "/440/$_", h => "Surrogate-Key: 440 440-$_") for 1 .. 3;
stored('scope-b.test', '/440/1', h => 'Surrogate-Key: 440');
is(purged('scope-a.test', type => 'group', selectors => ['nope']), 0, 'a tag that nothing has');
is(purged('scope-a.test', type => 'group', selectors => ['440-1']), 1, 'a tag that one response has');
is(purged('scope-a.test', type => 'group', selectors => ['440-1']), 0, 'is not met twice');
is(purged('scope-a.test', type => 'uri', selectors => [ 'http://scope-a.test' . target('/440/2',
    cc => 'max-age=600', h => 'Surrogate-Key: 440 440-2') ]), 1, 'a URL');
is(purged('scope-a.test', type => 'uri', selectors => ['http://scope-a.test/440/none']), 0,
    'a URL that is not stored');
is(purged('scope-a.test', type => 'origin', selectors => ['SCOPE-A.test']), 1, 'a host, in any case');
is(purged('scope-a.test', type => 'everything'), 0, 'everything, where nothing is left');
is(purged('scope-b.test', type => 'everything'), 1, 'everything of another host');
like(post('scope-a.test', type => 'everything', count => 1)->content, qr/"count\\": expected true or false/,
    'a count that is neither true nor false');
ok(!exists $json->decode(post('scope-a.test', type => 'everything')->content)->{purged},
    'unless it is asked for, nothing is counted');

# ---- a front controller --------------------------------------------------------------------------

is(fetch('/anything', host => 'scope-front.test')->content, "the application\n",
    'a front controller answers each path');
is(fetch('/cache-scope', host => 'scope-front.test')->header('Content-Type'), 'application/json',
    'but not that of the admin API');
is(fetch('/cache-scope/stats', host => 'scope-front.test')->header('Content-Type'), 'application/json',
    'nor a path below it');
like(fetch('/cache-scope-metrics', host => 'scope-front.test')->content, qr/^cache_storer_store_keys/m,
    'nor that of the metrics');

sub run { return run_tool('--url', $api, @_) }

# ---- storerctl -----------------------------------------------------------------------------------

SKIP: {
    skip 'storerctl is not built: there is no libcurl', 1 unless tool_is_built();
    my $target = stored('scope-b.test', '/440/tool', h => 'Surrogate-Key: 440-tool');
    my $url = "http://scope-b.test$target";
    my ($code, $output, $errors) = run('show', $url);
    is($code, 0, 'show asks the host of the URL');
    like($output, qr/^\Q$url\E$/m, 'and finds it');
    ($code, $output, $errors) = run('--host', 'scope-a.test', 'show', $url);
    is($code, 1, 'another host does not have it');
    like($errors, qr/is not stored, says .*the virtual host scope-a\.test only \(--host NAME/,
        'and is named');
    ($code, $output) = run('--host', 'scope-b.test', 'list', '/440/tool');
    is($output, "$url\n", 'list asks the host that is named');
    ($code, $output, $errors) = run('--host', 'scope-a.test', 'list', '/440/tool');
    like($errors, qr/no key matches .*|the virtual host scope-a\.test only/, 'list names the host');
    ($code, $output, $errors) = run('--host', 'scope-a.test', 'purge', 'tag', '440-tool');
    is($code, 1, 'a purge that meets nothing');
    is($output, "purged 0\n", 'says so');
    like($errors, qr/met no response in .*the virtual host scope-a\.test only/, 'and where it looked');
    is_cache(fetch($target, host => 'scope-b.test'), 'HIT', 'what another host has stays');
    ($code, $output) = run('purge', 'uri', $url);
    is("$code $output", "0 purged 1\n", 'a purge of a URL asks its host, and tells how many it met');
    is_cache(fetch($target, host => 'scope-b.test'), 'MISS', 'and it is gone');
    ($code, $output) = run('--host', 'scope-b.test', '--no-count', 'purge', 'tag', '440-tool');
    is("$code $output", "0 purged\n", 'without a count it does not look');
    is_cache(fetch($target, host => 'scope-b.test'), 'MISS', 'and purges as well');
}

finish();
