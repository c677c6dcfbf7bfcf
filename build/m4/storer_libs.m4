dnl SPDX-License-Identifier: Apache-2.0
dnl
dnl storer_libs.m4 - APR, the libraries storage/ uses, what the platform must offer, and the tools of
dnl the test targets.

dnl STORER_APR_CONFIG(PREFIX, PROGRAM): flags from apr-1-config or apu-1-config. The one apxs names
dnl is taken, since a module must use the APR its httpd was built with.
AC_DEFUN([STORER_APR_CONFIG], [
  AC_ARG_VAR([$1_CONFIG], [$2 @<:@the one apxs names@:>@])
  AS_IF([test -z "$$1_CONFIG"], [STORER_APXS_QUERY([$1_CONFIG], [$1_CONFIG])])
  AS_IF([test -z "$$1_CONFIG" || test ! -x "$$1_CONFIG"], [
    AS_UNSET([$1_CONFIG])
    AC_PATH_PROG([$1_CONFIG], [$2])
  ])
  AS_IF([test -z "$$1_CONFIG"], [AC_MSG_ERROR([$2 not found: set $1_CONFIG=PATH])])
  $1_VERSION=`"$$1_CONFIG" --version`
])

AC_DEFUN([STORER_APR], [
  STORER_APR_CONFIG([APR], [apr-1-config])
  APR_CFLAGS=`"$APR_CONFIG" --cflags`
  APR_CPPFLAGS=`"$APR_CONFIG" --cppflags --includes | $SED 's,-I,-isystem ,g'`
  APR_LIBS=`"$APR_CONFIG" --link-ld --libs`
  dnl for storer.pc: an engine must use the APR of its httpd, and that need not have an apr-1.pc
  APR_PC_CFLAGS=`"$APR_CONFIG" --cppflags --includes | $SED 's,^  *,,'`
  AC_SUBST([APR_PC_CFLAGS])
  AC_SUBST([APR_CFLAGS])
  AC_SUBST([APR_CPPFLAGS])
  AC_SUBST([APR_LIBS])

  STORER_APR_CONFIG([APU], [apu-1-config])
  APU_CPPFLAGS=`"$APU_CONFIG" --includes | $SED 's,-I,-isystem ,g'`
  APU_LIBS=`"$APU_CONFIG" --link-ld`
  AC_SUBST([APU_CPPFLAGS])
  AC_SUBST([APU_LIBS])

  STORER_HTTPD_COMPILES
])

AC_DEFUN([STORER_LIBRARIES], [
  PKG_CHECK_MODULES([LZ4], [liblz4 >= 1.9])
  LZ4_VERSION=`$PKG_CONFIG --modversion liblz4 2>/dev/null`
  PKG_CHECK_MODULES([PCRE2], [libpcre2-8 >= 10.30])
  PCRE2_VERSION=`$PKG_CONFIG --modversion libpcre2-8 2>/dev/null`

  dnl Header only (XXH_INLINE_ALL): XXHASH_LIBS is not used.
  PKG_CHECK_MODULES([XXHASH], [libxxhash >= 0.8])
  XXHASH_VERSION=`$PKG_CONFIG --modversion libxxhash 2>/dev/null`

  PKG_CHECK_MODULES([JANSSON], [jansson >= 2.10])
  JANSSON_VERSION=`$PKG_CONFIG --modversion jansson 2>/dev/null`

  dnl For storerctl.
  PKG_CHECK_MODULES([CURL], [libcurl >= 7.62],
    [build_storerctl=yes
     CURL_VERSION=`$PKG_CONFIG --modversion libcurl 2>/dev/null`],
    [build_storerctl=no
     CURL_VERSION="not found: storerctl is left out (Debian: libcurl4-openssl-dev)"])
  PKG_CHECK_MODULES([ZLIB], [zlib],
    [ZLIB_VERSION=`$PKG_CONFIG --modversion zlib 2>/dev/null`],
    [build_storerctl=no
     ZLIB_VERSION="not found: storerctl is left out (Debian: zlib1g-dev)"])
  AM_CONDITIONAL([BUILD_STORERCTL], [test "$build_storerctl" = yes])
])

dnl STORER_EXPAND(SHELL-VARIABLE, VALUE): the value with the variables in it replaced, as make does.
AC_DEFUN([STORER_EXPAND], [
  storer_prefix=$prefix
  storer_exec_prefix=$exec_prefix
  AS_IF([test "$prefix" = NONE], [prefix=$ac_default_prefix])
  AS_IF([test "$exec_prefix" = NONE], [exec_prefix=$prefix])
  $1="$2"
  while :; do
    AS_CASE([$$1], [*'$'*], [eval "$1=\"$$1\""], [break])
  done
  prefix=$storer_prefix
  exec_prefix=$storer_exec_prefix
])

dnl STORER_64_BIT: refuses other systems, before anything else is looked for.
AC_DEFUN([STORER_64_BIT], [
  AC_CHECK_SIZEOF([void *])
  AS_IF([test "$ac_cv_sizeof_void_p" != 8],
    [AC_MSG_ERROR([a 64-bit system is needed: a pointer has $ac_cv_sizeof_void_p bytes on $host])])
])

dnl What the memory engine cannot do without.
AC_DEFUN([STORER_PLATFORM], [
  AC_SEARCH_LIBS([pthread_create], [pthread])
  AC_SEARCH_LIBS([pow], [m])
  AC_CACHE_CHECK([for robust mutexes shared by processes], [storer_cv_robust_mutex], [
    AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <pthread.h>]], [[
      pthread_mutexattr_t attr;
      pthread_mutex_t mutex;
      pthread_mutexattr_init(&attr);
      pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
      pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
      pthread_mutex_init(&mutex, &attr);
      return pthread_mutex_consistent(&mutex);
    ]])], [storer_cv_robust_mutex=yes], [storer_cv_robust_mutex=no])
  ])
  AS_IF([test "$storer_cv_robust_mutex" != yes],
    [AC_MSG_ERROR([the memory engine needs pthread_mutexattr_setrobust()])])

  AC_CACHE_CHECK([for shared anonymous memory (mmap)], [storer_cv_mmap_shared], [
    AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <sys/mman.h>]], [[
      return mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0) == MAP_FAILED;
    ]])], [storer_cv_mmap_shared=yes], [storer_cv_mmap_shared=no])
  ])
  AS_IF([test "$storer_cv_mmap_shared" != yes],
    [AC_MSG_ERROR([the memory engine needs mmap() with MAP_SHARED and MAP_ANONYMOUS])])

  AC_CACHE_CHECK([for lock-free 64-bit atomics], [storer_cv_atomic64], [
    AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <stdatomic.h>
      #include <stdint.h>
      _Static_assert(__atomic_always_lock_free(sizeof(uint64_t), 0), "locked");]], [[
      static _Atomic uint64_t counter;
      return (int) atomic_fetch_add(&counter, 1);
    ]])], [storer_cv_atomic64=yes], [storer_cv_atomic64=no])
  ])
  AS_IF([test "$storer_cv_atomic64" != yes],
    [AC_MSG_ERROR([the memory engine needs lock-free 64-bit atomics in C11])])
])

dnl Tools of check, lint and check-valgrind; building needs none of them.
AC_DEFUN([STORER_TOOLS], [
  AC_PATH_PROG([PROVE], [prove], [prove])
  AC_PATH_PROG([PERL], [perl], [perl])
  AC_PATH_PROG([VALGRIND], [valgrind], [valgrind])
])
