# SPDX-License-Identifier: Apache-2.0
#
# CacheQuickHandler off: the same cache as a normal handler, behind authorisation.
use strict;
use warnings;

use Storer::Test;
use Test::More;

my @slow = (host => 'slow.test');

for my $case ([ 0 => [] ], [ 5000 => [] ], [ 5000 => [ chunked => 1 ] ], [ '1M' => [] ],
    [ '1M' => [ chunked => 1 ] ]) {
    my ($size, $parameters) = @$case;
    my $path = "/100/$size" . (@$parameters ? '-chunked' : '');
    my $target = target($path, body => $size, cc => 'max-age=600', @$parameters);
    from_origin($path, 1, "$path, three times", sub {
        for my $want (qw(MISS HIT HIT)) {
            my $response = fetch($target, @slow);
            is_cache($response, $want, $path);
            is_body($response, $path, size => $size);
        }
    });
}

my $varied = target('/100/varied', body => 900, cc => 'max-age=600', etag => 'auto',
    vary => 'X-Group', echo => 'X-Group');
for my $want (qw(MISS HIT)) {
    for my $group (qw(a b)) {
        my $response = fetch($varied, @slow, headers => [ 'X-Group' => $group ]);
        is_cache($response, $want, "variant $group");
        is_body($response, '/100/varied', size => 900, variant => $group);
    }
}
my $again = fetch($varied, @slow, headers => [ 'X-Group' => 'a', 'Cache-Control' => 'max-age=0' ]);
is_cache($again, 'REVALIDATE', 'a variant');
is_body($again, '/100/varied', size => 900, variant => 'a');

my $target = target('/100/a', body => 50_000, cc => 'max-age=600', etag => '"v1"');
fetch($target, @slow);
my $range = fetch($target, @slow, headers => [ Range => 'bytes=40000-40009' ]);
is($range->status, 206, 'Range');
is($range->content, substr(body_of('/100/a', size => 50_000), 40_000, 10), 'its bytes');
is(fetch($target, @slow, headers => [ 'If-None-Match' => '"v1"' ])->status, 304, 'If-None-Match');
my $head = fetch($target, @slow, method => 'HEAD');
is_cache($head, 'HIT', 'HEAD');
is($head->header('Content-Length'), 50_000, 'HEAD: the length');
fetch($target, @slow, method => 'POST', body => 'x=1');
control('/100/a', seed => 2, etag => '"v2"');
is_body(fetch($target, @slow), '/100/a', size => 50_000, seed => 2, name => 'after a POST');

# what is stored is behind Require as well
my $secret = target('/100/secret', body => 100, cc => 'max-age=600');
my @pass = ('X-Pass' => 'open');
expect_log(qr/authz_core:error.*AH01630: client denied/);
is(fetch($secret, @slow)->status, 403, 'refused');
for my $want (qw(MISS HIT)) {
    my $response = fetch($secret, @slow, headers => \@pass);
    is_cache($response, $want, 'allowed');
    is_body($response, '/100/secret', size => 100);
}
my $refused = fetch($secret, @slow);
is($refused->status, 403, 'refused still, though it is stored');
unlike($refused->content, qr/^[0-9a-f]{16} 0000000000/m, 'and shows nothing of it');

finish();
