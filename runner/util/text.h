/* SPDX-License-Identifier: Apache-2.0 */
/* Text that comes from other machines or programs and that people read. */
#ifndef UTIL_TEXT_H
#define UTIL_TEXT_H

/* Replaces control characters, which could forge lines or drive a terminal, by '?'. Bytes from 80h on
 * stay, because they may be UTF-8. */
static inline void text_hide_control_chars(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}
#endif
