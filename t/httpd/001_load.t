# SPDX-License-Identifier: Apache-2.0
#
# The module is loaded, and says what it can be told.
use strict;
use warnings;

use Apache::Test qw(need_module);
use Storer::Test;
use Test::More;

ok(need_module('mod_cache_storer.c'), 'the module is in the configuration');

my $info = fetch('/server-info?mod_cache_storer.c');
is($info->status, 200, 'mod_info answers');
for my $directive (qw(CacheStorer CacheStorerStale CacheStorerMaxFileSize CacheStorerMinFileSize
    CacheStorerMaxVariants CacheStorerCompression)) {
    like($info->content, qr{<tt>\Q$directive\E}, "mod_info lists $directive");
}

my $config = fetch('/server-info?config')->content;
like($config, qr/CacheStorer <i>memory size=64M/, 'and shows the configured storage');
is($ENV{STORER_MPM}, vars()->{wanted_mpm}, 'the server runs the MPM that was asked for');
like(fetch('/server-info?server')->content, qr/MPM Name:.*?\Q$ENV{STORER_MPM}\E/is,
    'so says httpd');

finish();
