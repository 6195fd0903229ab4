/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes the NAA designator from a unit serial number. Initiators join two disks with the same designator into
 * one, so two serial numbers that differ in any character must not give the same designator.
 *
 * LIO writes its company ID and then the first 25 hexadecimal digits of the serial number, and leaves out all
 * other characters. This is sufficient for the UUIDs that LIO generates, and if the daemon uses it for UUIDs,
 * too, a disk that moves between LIO and this daemon keeps its name. For other texts it is not sufficient:
 * "lun1" and "vol1" would give the same designator.
 */
#include "storage/designator.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "scsi/scsi.h"
#include "storage/digest.h"

/* Returns whether the text is a version 4 UUID (RFC 9562 5.4). */
static bool is_uuid_v4(const char *text)
{
	static const char form[] = "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx";

	for (unsigned i = 0; i < sizeof(form); i++) {
		unsigned char c = (unsigned char)text[i];

		if (form[i] == 'x'   ? !isxdigit(c)
		    : form[i] == 'y' ? !c || !strchr("89abAB", c)
				     : c != (unsigned char)form[i])
			return false;
	}
	return true;
}

/*
 * Finds the text of a designator in the form in which other storage shows it: 32 digits, of which the first
 * one is the 6 of the type.
 */
static const char *find_naa_digits(const char *text)
{
	if (!strncmp(text, "naa.", 4))
		text += 4;
	return text[0] == '6' && strlen(text) == 32 && strspn(text, "0123456789abcdefABCDEF") == 32 ? text
												    : NULL;
}

static uint8_t value_of_digit(char digit)
{
	return (uint8_t)(isdigit((unsigned char)digit) ? digit - '0' : (digit | 0x20) - 'a' + 10);
}

void storage_designator(const char *serial, uint8_t naa[16])
{
	const char *digits = find_naa_digits(serial);
	char hex[DIGEST_HEX_SIZE];

	if (digits) {
		for (unsigned i = 0; i < 16; i++)
			naa[i] =
			    (uint8_t)(value_of_digit(digits[2 * i]) << 4 | value_of_digit(digits[2 * i + 1]));
		return;
	}
	if (is_uuid_v4(serial)) {
		scsi_naa_from_digits(naa, serial);
		return;
	}
	digest_texts_hex((const char *const[]){"tcmu-runner designator", serial, NULL}, hex);
	scsi_naa_from_digits(naa, hex);
}
