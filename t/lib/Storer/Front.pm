# SPDX-License-Identifier: Apache-2.0
#
# Storer::Front - the site of t/httpd/conf/front-site.conf and what must be true of it, whatever makes its
# pages (a CGI script, PHP) and wherever mod_cache works: each URL has a page of its own, a PURGE, an
# unsafe request and the admin API reach just the page of their URL, and no page comes under another URL.
package Storer::Front;

use strict;
use warnings;

use Exporter 'import';
use File::Copy qw(copy);
use Test::More;

our @EXPORT_OK = qw(install check_site is_page run_of);

# The folders that have a front controller of their own, and its name.
my @controllers = qw(wordpress drupal drupal7 fallback index);

# Put the script that makes the pages where the rules look for it.
sub install {
    my ($documents, $script) = @_;
    for my $folder (@controllers) {
        mkdir "$documents/310/$folder";
        copy($script, "$documents/310/$folder/index.php") or die "$script: $!";
        chmod 0755, "$documents/310/$folder/index.php";
    }
    return;
}

# The script names the request that it was run for, as the client made it.
sub is_page {
    my ($response, $target, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my ($got) = $response->content =~ /\A\S+ (\S+)\n/;
    return is($got, $target, $name);
}

sub run_of {
    my $response = shift;
    return $response->content =~ /^run (\S+)$/m ? $1 : '';
}

# One summary for many URLs: a line of TAP each would hide the others.
sub _count_wrong {
    my ($fetch, $targets, $want, $runs) = @_;
    my @wrong;
    for my $target (@$targets) {
        my $response = $fetch->($target);
        my $got = ($response->cache || 'none') . ' ' . $response->content;
        my $run = run_of($response);
        if ($got !~ /\A$want GET \Q$target\E\n/ || ($want eq 'HIT' && $run ne $runs->{$target})) {
            push @wrong, "$target: $got, " . ($response->header('Cache-Status') || 'no Cache-Status');
        }
        $runs->{$target} = $run;
    }
    diag($_) for @wrong[0 .. ($#wrong < 4 ? $#wrong : 4)];
    return scalar @wrong;
}

# fetch: code that is called with a target and further options; prefix: a folder of the site
sub check_site {
    my ($fetch, $prefix, $count) = @_;
    my @targets = map { ("$prefix/page-$_/", "$prefix/page-$_/?n=$_") } 1 .. $count / 2;
    my %runs;

    is(_count_wrong($fetch, \@targets, 'MISS', \%runs), 0, "$prefix: $count URLs, each a page of its own");
    is(_count_wrong($fetch, \@targets, 'HIT', \%runs), 0, "$prefix: and each a hit with it");
    my @gone = @targets[grep { $_ % 10 == 0 } 0 .. $#targets];
    my @left = @targets[grep { $_ % 10 != 0 } 0 .. $#targets];
    for my $target (@gone) {
        my $purge = $fetch->($target, method => 'PURGE', headers => [ 'X-Pass' => 'open' ]);
        is($purge->status, 200, "PURGE $target") or diag($purge->content), last;
    }
    is(_count_wrong($fetch, \@gone, 'MISS', \%runs), 0, "$prefix: what is purged is made anew");
    is(_count_wrong($fetch, \@left, 'HIT', \%runs), 0, "$prefix: and nothing else");
    my $changed = $left[0];
    is($fetch->($changed, method => 'POST', body => 'x=1')->status, 200, "POST $changed");
    is(_count_wrong($fetch, [ $changed ], 'MISS', \%runs), 0, "$prefix: its page is made anew");
    is(_count_wrong($fetch, [ @left[1 .. 9] ], 'HIT', \%runs), 0, "$prefix: and no other one");
    return \@targets;
}

1;
