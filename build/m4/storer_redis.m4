dnl SPDX-License-Identifier: Apache-2.0
dnl
dnl storer_redis.m4 - the Redis engine, a module of its own: built where hiredis is found.

dnl STORER_REDIS: sets and substitutes HIREDIS_CPPFLAGS and HIREDIS_LIBS, and BUILD_REDIS. Version
dnl 0.14 is that of Debian 12; TLS came with 1.0, in a library of its own.
AC_DEFUN([STORER_REDIS], [
  AC_ARG_WITH([redis],
    [AS_HELP_STRING([--without-redis],
      [leave mod_cache_storer_redis out @<:@built where hiredis is found@:>@])],
    [], [with_redis=auto])
  build_redis=no
  HIREDIS_CPPFLAGS=
  redis_summary="left out"
  AS_IF([test "$with_redis" != no], [
    PKG_CHECK_MODULES([HIREDIS], [hiredis >= 0.14], [build_redis=yes],
      [redis_summary="hiredis not found: left out (Debian: libhiredis-dev)"])
  ])
  AS_IF([test "$build_redis" = yes], [STORER_REDIS_FLAGS])
  AS_IF([test "$with_redis" = yes && test "$build_redis" = no],
    [AC_MSG_ERROR([--with-redis needs hiredis 0.14 or later])])
  AC_SUBST([HIREDIS_CPPFLAGS])
  AM_CONDITIONAL([BUILD_REDIS], [test "$build_redis" = yes])
])

dnl Its headers are named <hiredis/...>, and so cannot be taken for ours of the same names.
AC_DEFUN([STORER_REDIS_FLAGS], [
  redis_summary="hiredis `$PKG_CONFIG --modversion hiredis`"
  storer_include=`$PKG_CONFIG --variable=includedir hiredis`
  AS_CASE([$storer_include],
    [/usr/include|/usr/include/hiredis], [],
    [*/hiredis], [HIREDIS_CPPFLAGS="-isystem $storer_include/.."],
    [HIREDIS_CPPFLAGS="-isystem $storer_include"])
  PKG_CHECK_MODULES([HIREDIS_SSL], [hiredis_ssl >= 1.0 openssl >= 1.1], [
    HIREDIS_CPPFLAGS="$HIREDIS_CPPFLAGS -DREDIS_HAVE_TLS"
    HIREDIS_LIBS="$HIREDIS_SSL_LIBS $HIREDIS_LIBS"
    redis_summary="$redis_summary, with TLS"
  ], [redis_summary="$redis_summary, without TLS"])
])
