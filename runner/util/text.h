/* SPDX-License-Identifier: Apache-2.0 */
/* Text that comes from other machines or programs and is shown to people. */
#ifndef UTIL_TEXT_H
#define UTIL_TEXT_H

/*
 * Replaces control characters with '?', because they could forge lines or control a terminal. Bytes from 80h
 * on stay, because they may be UTF-8.
 */
static inline void text_hide_control_chars(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}
#endif
