# SPDX-License-Identifier: Apache-2.0
#
# Bodies of any size and framing; what is not whole, too large or too small is not kept.
use strict;
use warnings;

use Storer::Test;
use Test::More;

# mod_proxy says so when an origin ends in the middle
expect_log(qr/\[proxy(?:_http)?:error\] .*(?:AH01110|AH01111|AH00898|AH01102|AH02609)|AH01095/);

my @framings = ([ length => [] ], [ chunked => [ chunked => 1 ] ], [ close => [ close => 1 ] ]);
for my $size (0, 1, 63, 1023, '1K', 4096, 8000, 16384, 65535, '64K', 65537, 100_000, 262_145, '1M',
    '10M') {
    for my $case (@framings) {
        my ($framing, $parameters) = @$case;
        next if $framing eq 'close' && $size !~ /\A(?:0|1|64K|1M)\z/;
        my $path = "/040/$framing/$size";
        my $target = target($path, body => $size, cc => 'max-age=600', @$parameters);
        from_origin($path, 1, "$size bytes, $framing", sub {
            for my $want (qw(MISS HIT HIT)) {
                my $response = fetch($target);
                is_cache($response, $want, "$size bytes, $framing");
                is_body($response, $path, size => $size, name => "$size bytes, $framing, $want");
            }
        });
    }
}

# no content, and that is kept too
from_origin('/040/204', 1, 'a 204, three times', sub {
    for (1 .. 3) {
        my $response = fetch(target('/040/204', status => 204, cc => 'max-age=600'));
        is($response->status, 204, 'a 204 stays one');
        is($response->content, '', 'with no body');
    }
});

# ---- what the origin did not finish --------------------------------------------------------------

# The first answer is bad; the second must be asked for, whole, and then kept.
sub expect_not_kept {
    my ($name, $path, @parameters) = @_;
    my $target = target($path, body => '200K', cc => 'max-age=600');
    control($path, @parameters);
    my $bad = fetch($target);
    ok(!$bad->complete, "$name: the client can tell");
    is($bad->content, substr(body_of($path, size => '200K'), 0, length $bad->content),
        "$name: what it got is the beginning");
    control($path);
    from_origin($path, 1, "$name: asked for again", sub {
        for my $want (qw(MISS HIT)) {
            my $response = fetch($target);
            is_cache($response, $want, "after: $name");
            is_body($response, $path, size => '200K', name => "after: $name, the body ($want)");
        }
    });
    return;
}

expect_not_kept('cut off', '/040/cut', cut => '100K');
expect_not_kept('cut off at once', '/040/cut-0', cut => 1);
expect_not_kept('cut off before the last byte', '/040/cut-last', cut => 200 * 1024 - 1);
expect_not_kept('cut off in chunks', '/040/cut-chunked', cut => '100K', chunked => 1);
expect_not_kept('a Content-Length beyond the end', '/040/long', clen => 300_000);

# a Content-Length that ends before the body: what the client got is what is kept, or nothing is
control('/040/lying', clen => 1000);
my $lying = target('/040/lying', body => 2000, cc => 'max-age=600');
for my $round (1, 2) {
    my $response = fetch($lying);
    ok($response->complete, 'a Content-Length too short: the response ends');
    is($response->content, body_of('/040/lying', size => 1000), 'with as much as was announced');
}

# ---- bounds --------------------------------------------------------------------------------------

# CacheStorerMinFileSize 100, CacheStorerMaxFileSize 20K
for my $case ([ 99 => 0 ], [ 100 => 1 ], [ 20480 => 1 ], [ 20481 => 0 ], [ 300_000 => 0 ]) {
    my ($size, $kept) = @$case;
    for my $framing (qw(length chunked)) {
        my $path = "/040/bounds/$framing/$size";
        my $target = target($path, body => $size, cc => 'max-age=600',
            $framing eq 'chunked' ? (chunked => 1) : ());
        from_origin($path, $kept ? 1 : 2, "$size bytes, $framing, within bounds: $kept", sub {
            for (1, 2) {
                my $response = fetch($target, host => 'limits.test');
                is_body($response, $path, size => $size,
                    name => "$size bytes, $framing: delivered");
            }
        });
    }
}

finish();
