# SPDX-License-Identifier: Apache-2.0
#
# Graceful restarts: what is stored survives; another size starts empty, and the log says so.
use strict;
use warnings;

use Storer::Test;
use Test::More;

my $size_file = vars()->{t_conf} . '/size.conf';
my $log = log_mark();

sub target_of { return target("/150/$_[0]", body => 20_000, cc => 'max-age=600') }

for my $n (1 .. 20) {
    fetch(target_of($n));
}
my $old = target('/150/old', body => '2M', cc => 'max-age=600');
fetch($old);
my %before = map { $_ => 1 } children();

# a reader that began before the restart
my $slow = connection(receive_buffer => 8192);
$slow->send(GET => $old, headers => [ Connection => 'close' ]);
is_cache($slow->head, 'HIT', 'a slow reader');
$slow->body(10_000);

signal_graceful();
wait_for('new children', sub { scalar grep { !$before{$_} } children() });
from_origin("/150/$_", 0, "object $_ after a graceful restart", sub {
    my $response = fetch(target_of($_));
    is_cache($response, 'HIT', "object $_");
    is_body($response, "/150/$_", size => 20_000);
}) for 1 .. 20;
is_body($slow->body, '/150/old', size => '2M', name => 'the slow reader gets all of it');
is_body(fetch($old), '/150/old', size => '2M', name => 'and so do new ones');

# one after the other, faster than children come and go, with requests in between
for my $n (1 .. 8) {
    signal_graceful();
    my $response = fetch(target_of(1 + $n));
    is_body($response, '/150/' . (1 + $n), size => 20_000, name => "restart $n: a body");
}
for my $n (1 .. 20) {
    is_cache(fetch(target_of($n)), 'HIT', "object $n after many restarts");
}
unlike(log_since($log), qr/\[cache_storer:notice\]/, 'nothing of note so far');

# ---- another size --------------------------------------------------------------------------------

my $size_notice = qr/\[cache_storer:notice\] .*\b50331648\b|\[cache_storer:notice\] .*48M/;
expect_log(qr/\[cache_storer:notice\]/);
write_file($size_file, "CacheStorer memory size=48M\n");
$log = log_mark();
graceful();
is_cache(fetch(target_of(1)), 'MISS', 'what was stored in the old size');
like(log_since($log), $size_notice, 'a notice tells of the new size');
for my $n (21 .. 25) {
    my $path = "/150/$n";
    is_cache(fetch(target_of($n)), 'MISS', 'in the new size');
    is_cache(fetch(target_of($n)), 'HIT', 'in the new size');
}
for my $n (1 .. 5) {
    is_body(fetch(target_of($n)), "/150/$n", size => 20_000, name => 'a body in the new size');
}

# and back
unlink $size_file;
graceful();
is_cache(fetch(target_of(21)), 'MISS', 'what was stored in the other size');
is_cache(fetch(target_of(30)), 'MISS', 'the size as before');
is_cache(fetch(target_of(30)), 'HIT', 'the size as before');

finish();
