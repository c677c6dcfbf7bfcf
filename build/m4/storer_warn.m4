dnl SPDX-License-Identifier: Apache-2.0
dnl
dnl storer_warn.m4 - warnings and sanitizers: the switches of developers.

dnl STORER_CFLAG_ADD(VARIABLE, FLAG...): add each flag the compiler takes.
AC_DEFUN([STORER_CFLAG_ADD], [
  for storer_flag in $2; do
    AC_MSG_CHECKING([whether $CC takes $storer_flag])
    storer_save_CFLAGS=$CFLAGS
    CFLAGS="$CFLAGS -Werror $storer_flag"
    AC_COMPILE_IFELSE([AC_LANG_PROGRAM],
      [AC_MSG_RESULT([yes])
       $1="$$1 $storer_flag"],
      [AC_MSG_RESULT([no])])
    CFLAGS=$storer_save_CFLAGS
  done
])

dnl --enable-maintainer-mode: all warnings, as errors. (Automake's own switch of that name, which
dnl disables the rebuild rules, is not used here: they are always on.)
AC_DEFUN([STORER_WARNINGS], [
  AC_ARG_ENABLE([maintainer-mode],
    [AS_HELP_STRING([--enable-maintainer-mode], [many warnings, all of them errors])],
    [], [enable_maintainer_mode=no])
  WARNING_CFLAGS=
  STORER_CFLAG_ADD([WARNING_CFLAGS], [-Wall -Wextra])
  storer_warnings_summary="-Wall -Wextra"
  MAINTAINER_WARNINGS="-Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
-Wold-style-definition -Wpointer-arith -Wwrite-strings -Wformat=2 -Wundef -Wvla -Wimplicit-fallthrough \
-Wlogical-op -Wduplicated-cond -Wduplicated-branches"
  AC_SUBST([MAINTAINER_WARNINGS])
  AS_IF([test "$enable_maintainer_mode" = yes], [
    STORER_CFLAG_ADD([WARNING_CFLAGS], [$MAINTAINER_WARNINGS])
    WARNING_CFLAGS="$WARNING_CFLAGS -Werror"
    storer_warnings_summary="many, as errors"
  ])
  AC_SUBST([WARNING_CFLAGS])
])

dnl --with-sanitizers=LIST: instruments libstorer and the test programs. The module is left out of
dnl such a build, because an httpd without the sanitizer's run time cannot load it.
AC_DEFUN([STORER_SANITIZERS], [
  AC_ARG_WITH([sanitizers],
    [AS_HELP_STRING([--with-sanitizers=LIST],
      [library and tests with -fsanitize=LIST, and no module: address,undefined or thread])],
    [], [with_sanitizers=no])
  SANITIZER_CFLAGS=
  storer_sanitizers_summary=none
  AS_CASE([$with_sanitizers],
    [no], [],
    [yes], [with_sanitizers=address,undefined])
  AS_IF([test "$with_sanitizers" != no], [
    SANITIZER_CFLAGS="-fsanitize=$with_sanitizers -fno-sanitize-recover=all -fno-omit-frame-pointer"
    AC_MSG_CHECKING([whether programs can be linked with $SANITIZER_CFLAGS])
    storer_save_CFLAGS=$CFLAGS
    CFLAGS="$CFLAGS $SANITIZER_CFLAGS"
    AC_LINK_IFELSE([AC_LANG_PROGRAM], [AC_MSG_RESULT([yes])],
      [AC_MSG_RESULT([no])
       AC_MSG_ERROR([the compiler does not support --with-sanitizers=$with_sanitizers])])
    CFLAGS=$storer_save_CFLAGS
    storer_sanitizers_summary="$with_sanitizers (no module)"
  ])
  AC_SUBST([SANITIZER_CFLAGS])
  AM_CONDITIONAL([BUILD_MODULE], [test "$with_sanitizers" = no])
])
