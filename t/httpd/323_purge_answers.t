# SPDX-License-Identifier: Apache-2.0
#
# What PURGE answers is what it did: how many responses, 404 for none, and 501 with the way to go for what
# other caches do with that method and this one does not.
use strict;
use warnings;

use Storer::Test;
use Test::More;

# purge($target, host => NAME, headers => [...])
sub purge {
    my ($target, %option) = @_;
    my @headers = ('X-Pass' => 'open', @{ delete $option{headers} || [] });
    return fetch($target, method => 'PURGE', host => 'purge.test', %option, headers => \@headers);
}

sub stored {
    my ($path, %option) = @_;
    my $host = delete $option{host} || 'purge.test';
    my $target = target($path, cc => 'max-age=600', etag => 'auto', %option);
    fetch($target, host => $host);
    is_cache(fetch($target, host => $host), 'HIT', "$host$path is stored");
    return $target;
}

sub is_answer {
    my ($response, $status, $text, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is($response->status, $status, "$name: $status");
    return like($response->content, $text, "$name: the answer");
}

# ---- how many -------------------------------------------------------------------------------------

{
    my $target = target('/323/variants', cc => 'max-age=600', vary => 'X-Group', echo => 'X-Group',
        etag => 'auto');
    fetch($target, host => 'purge.test', headers => [ 'X-Group' => $_ ]) for qw(a b c);
    my @soft = (headers => [ 'Soft-Purge' => '1' ]);
    is_answer(purge($target, @soft), 200, qr/\AStale now: 3 responses\.$/, 'softly, three variants');
    is_answer(purge($target, @soft), 200, qr/\AStale now: 3 responses\.$/, 'once more: still there');
    is_answer(purge($target), 200, qr/\APurged: 3 responses\.$/, 'three variants');
    is_answer(purge($target), 404, qr/\ANothing is stored under this URL/, 'once more: none is left');
    is_answer(purge($target, @soft), 404, qr/\ANothing is stored under this URL/, 'softly: nor then');
    fetch($target, host => 'purge.test', headers => [ 'X-Group' => 'a' ]);
    is_answer(purge($target), 200, qr/\APurged: 1 response\.$/, 'one that was stored again');
}
for my $host ('purge.test', 'purge-slow.test') {
    is_answer(purge('/323/never', host => $host), 404, qr/\ANothing is stored/, "$host: never cached");
}

# ---- another host's -------------------------------------------------------------------------------

{
    my $target = stored('/323/host');
    is_answer(purge($target, host => 'purge-slow.test'), 404, qr/Nothing is stored/, "another host's");
    is_answer(purge($target, host => 'purge-alias.test'), 404, qr/Nothing is stored/, 'another name');
    is_answer(purge("http://purge-slow.test$target"), 404, qr/Nothing is stored/,
        'another host in the request line');
    is_cache(fetch($target, host => 'purge.test'), 'HIT', 'nothing was purged');
}
{
    # two hosts with the keys of one, so that each key is the other one's as well
    my $target = target('/323/shared', cc => 'max-age=600');
    fetch($target, host => 'purge-share-a.test');
    is_answer(purge($target, host => 'purge-share-b.test'), 404, qr/Nothing is stored/,
        'a key that another host has stored');
    is_cache(fetch($target, host => 'purge-share-a.test'), 'HIT', 'it is not purged');
    is_answer(purge($target, host => 'purge-share-a.test'), 200, qr/Purged: 1 response/, 'by its own');
}
{
    # a host that CacheStorerHosts does not know
    is_answer(purge('/323/invented', host => 'purge-share-a.test:4711'), 404, qr/Nothing is/,
        'a name that is not cached at all');
}

# ---- what it does not do --------------------------------------------------------------------------

{
    my $target = stored('/323/kept', h => 'Surrogate-Key: 323-tag');
    my $root = stored('/323/');
    my @tags = map { [ $_ => '323-tag' ] } qw(Surrogate-Key Cache-Tag Cache-Tags X-Cache-Tags xkey
        xkey-purge xkey-softpurge);
    for my $case (@tags, [ 'X-Magento-Tags-Pattern' => '((^|,)323-tag(,|$))' ]) {
        is_answer(purge($root, headers => $case), 501,
            qr/\ANothing is purged: .*\b$$case[0] names\..*"group"/, $$case[0]);
    }
    is_answer(purge('/323/.*', headers => [ 'X-Purge-Method' => 'regex' ]), 501,
        qr/\ANothing is purged: .*X-Purge-Method names\..*"pattern"/, 'X-Purge-Method: regex');
    for my $wildcard ('/323/*', '/323/k*', '/.*', '/323/(.*)', '/323/kept?*') {
        is_answer(purge($wildcard), 501, qr/to the letter.*"pattern".*"uri-prefix"/, $wildcard);
    }
    is_cache(fetch($_, host => 'purge.test'), 'HIT', "$_ stays") for $target, $root;
    is(purge($root, headers => [ 'X-Purge-Method' => 'default' ])->status, 200, 'default is the URL');

    $target = stored('/323/star*');
    is_answer(purge($target), 200, qr/Purged: 1/, 'a URL with a star in it');
}

finish();
