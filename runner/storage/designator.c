/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a unit serial number to the NAA designator. Initiators join two disks with one designator
 * into one, so two serial numbers that differ in any character must not give the same designator.
 *
 * LIO writes its company ID and then the first 25 hexadecimal digits of the serial number, and
 * leaves out every other character. For the UUIDs that LIO generates this is good enough, and a
 * disk that moves between LIO and this daemon keeps its name. For other texts it is not: "lun1" and
 * "vol1" would give the same designator.
 */
#include "storage/designator.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "scsi/scsi.h"
#include "storage/digest.h"

/* RFC 9562 5.4. */
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
 * The text of a designator as other storage shows it: 32 digits that begin with the 6 of its type.
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
