/* SPDX-License-Identifier: Apache-2.0 */
/* Computes SHA-256 of texts with libcrypto, and writes it in the forms that identities use. */
#include "storage/digest.h"

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/bytes.h"
#include "util/log.h"

void digest_texts(const char *const *texts, uint8_t digest[DIGEST_SIZE])
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool done = context && EVP_DigestInit_ex(context, EVP_sha256(), NULL);

	for (; done && *texts; texts++)
		done = EVP_DigestUpdate(context, *texts, strlen(*texts) + 1);
	done = done && EVP_DigestFinal_ex(context, digest, NULL);
	EVP_MD_CTX_free(context);
	/* A wrong identity would make initiators join two disks into one, so the process ends. */
	if (!done) {
		log_crit(NULL, "libcrypto cannot compute SHA-256");
		abort();
	}
}

void digest_texts_hex(const char *const *texts, char hex[DIGEST_HEX_SIZE])
{
	uint8_t digest[DIGEST_SIZE];

	digest_texts(texts, digest);
	for (unsigned i = 0; i < DIGEST_SIZE; i++)
		snprintf(&hex[2 * i], 3, "%02x", digest[i]);
}

struct digest_set digest_set_of(const char *const *texts)
{
	uint8_t digest[DIGEST_SIZE];

	digest_texts(texts, digest);
	return (struct digest_set){{get_be64(digest), get_be64(digest + 8)}};
}

void uuid_from_bytes(const uint8_t *bytes, char uuid[UUID_SIZE])
{
	static const unsigned dashes = 1u << 4 | 1u << 6 | 1u << 8 | 1u << 10;
	char *end = uuid;

	for (unsigned i = 0; i < 16; i++) {
		unsigned byte = bytes[i];

		if (i == 6)
			byte = (byte & 0x0f) | 0x40; /* The digit of version 4. */
		else if (i == 8)
			byte = (byte & 0x3f) | 0x80; /* variant */
		end += sprintf(end, "%s%02x", dashes >> i & 1 ? "-" : "", byte);
	}
}
