/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The target's side of CHAP (RFC 7143 12.1.3, RFC 1994). Digests come from libcrypto. Which account
 * an initiator has is left to login_identity.c.
 */
#include "iscsi_login/chap.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "iscsi_login/binary.h"
#include "model/accounts.h"
#include "util/bytes.h"

#define DIGEST_MAX 64

/* The algorithms, with their numbers in the IANA registry "PPP Authentication Algorithms". */
static const struct {
	uint32_t number;
	const char *digest;
} algorithms[] = {
    {5, "MD5"},
    {6, "SHA1"},
    {7, "SHA256"},
    {8, "SHA3-256"},
};

int iscsi_chap_response(const char *digest, uint8_t id, const char *secret, const uint8_t *challenge,
			size_t challenge_len, uint8_t response[DIGEST_MAX])
{
	EVP_MD *md = EVP_MD_fetch(NULL, digest, NULL);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	unsigned len = 0;
	bool done = md && context && EVP_DigestInit_ex(context, md, NULL) &&
		    EVP_DigestUpdate(context, &id, 1) && EVP_DigestUpdate(context, secret, strlen(secret)) &&
		    EVP_DigestUpdate(context, challenge, challenge_len) &&
		    EVP_DigestFinal_ex(context, response, &len);

	EVP_MD_CTX_free(context);
	EVP_MD_free(md);
	return done ? (int)len : -1;
}

void iscsi_chap_init(struct iscsi_chap *chap, const struct model_auth *account)
{
	memset(chap, 0, sizeof(*chap));
	chap->account = account;
}

/*
 * Returns whether the digest can be used. The configuration of libcrypto may exclude a digest, for example
 * MD5 in FIPS mode.
 */
static bool digest_available(const char *digest)
{
	EVP_MD *md = EVP_MD_fetch(NULL, digest, NULL);

	EVP_MD_free(md);
	return md != NULL;
}

/*
 * Returns the index in algorithms of the first supported algorithm in the initiator's list (12.1.3), or -1.
 */
static int choose_algorithm(const char *list)
{
	const char *item;
	int len;

	while ((len = iscsi_list_next(&list, &item)) >= 0) {
		for (size_t i = 0; i < ARRAY_SIZE(algorithms); i++)
			if (len == 1 && (uint32_t)(*item - '0') == algorithms[i].number &&
			    digest_available(algorithms[i].digest))
				return (int)i;
	}
	return -1;
}

static const char *challenge(struct iscsi_chap *chap, const struct iscsi_offers *offers,
			     struct iscsi_text_out *out)
{
	const char *list = offers->of[ISCSI_KEY_CHAP_A].value;
	char text[2 * CHAP_CHALLENGE_LEN + 3];
	int chosen;

	if (!list || offers->of[ISCSI_KEY_CHAP_N].value || offers->of[ISCSI_KEY_CHAP_R].value ||
	    offers->of[ISCSI_KEY_CHAP_I].value || offers->of[ISCSI_KEY_CHAP_C].value)
		return "CHAP must begin with CHAP_A alone";
	chosen = choose_algorithm(list);
	if (chosen < 0)
		return "none of the CHAP algorithms that the initiator offers is supported";
	/*
	 * getrandom() waits until the kernel's generator is seeded, and then returns up to 256 bytes as a
	 * whole.
	 */
	if (getrandom(chap->challenge, sizeof(chap->challenge), 0) != sizeof(chap->challenge) ||
	    getrandom(&chap->id, sizeof(chap->id), 0) != sizeof(chap->id))
		return "the system gives no random numbers for a challenge";
	chap->digest = algorithms[chosen].digest;
	chap->state = CHAP_WANT_RESPONSE;
	iscsi_binary_encode(chap->challenge, sizeof(chap->challenge), text);
	iscsi_text_add_number(out, ISCSI_KEY_CHAP_A, algorithms[chosen].number);
	iscsi_text_add_number(out, ISCSI_KEY_CHAP_I, chap->id);
	iscsi_text_add_key(out, ISCSI_KEY_CHAP_C, text);
	return NULL;
}

/*
 * Compares the name and the response together, so that neither the result nor the time shows which of them
 * was wrong.
 */
static bool account_matches(const struct iscsi_chap *chap, const struct model_account *account,
			    const char *name, const char *response)
{
	uint8_t want[DIGEST_MAX], got[DIGEST_MAX];
	char padded[sizeof(account->user)] = "";
	int len = iscsi_chap_response(chap->digest, chap->id, account->secret, chap->challenge,
				      sizeof(chap->challenge), want);
	bool name_right, digest_right;

	if (len < 0 || iscsi_binary_decode(response, got, sizeof(got)) != len)
		return false;
	snprintf(padded, sizeof(padded), "%s", name);
	name_right = strlen(name) < sizeof(padded) &&
		     CRYPTO_memcmp(padded, account->user, strlen(account->user) + 1) == 0;
	digest_right = CRYPTO_memcmp(got, want, (size_t)len) == 0;
	OPENSSL_cleanse(want, sizeof(want));
	return name_right & digest_right;
}

/*
 * Compares with all accounts, so that the time does not show which of them matches. Sets *matched to a copy
 * of the account that matches.
 */
static bool response_matches(const struct iscsi_chap *chap, const char *name, const char *response,
			     struct model_account *matched)
{
	struct model_account account;
	const char *more = chap->account->more;
	bool found = false;

	snprintf(account.user, sizeof(account.user), "%s", chap->account->user);
	snprintf(account.secret, sizeof(account.secret), "%s", chap->account->secret);
	do {
		if (*account.user && *account.secret && account_matches(chap, &account, name, response)) {
			*matched = account;
			found = true;
		}
		more = more && *more ? model_account_next(more, &account) : NULL;
	} while (more);
	OPENSSL_cleanse(&account, sizeof(account));
	return found;
}

/* Answers the challenge of the initiator in mutual CHAP. secret is the initiator's own secret. */
static const char *answer_challenge(const struct iscsi_chap *chap, const char *secret, const char *id_text,
				    const char *challenge_text, struct iscsi_text_out *out)
{
	const struct model_auth *account = chap->account;
	uint8_t theirs[CHAP_CHALLENGE_MAX], response[DIGEST_MAX];
	char text[2 * DIGEST_MAX + 3];
	uint32_t id;
	long len;
	int response_len;

	if (!account->mutual_user[0])
		return "the initiator asks for mutual CHAP, which is not configured";
	/*
	 * If both directions used the same secret, an attacker could let the target answer its own challenge
	 * (9.2.1).
	 */
	if (strcmp(secret, account->mutual_secret) == 0)
		return "mutual CHAP is configured with the same secret for both directions";
	if (!iscsi_value_number(id_text, &id) || id > UINT8_MAX)
		return "CHAP_I is not a number from 0 to 255";
	len = iscsi_binary_decode(challenge_text, theirs, sizeof(theirs));
	if (len < 0)
		return "CHAP_C is malformed";
	/*
	 * RFC 7143 12.1.3: an initiator that sends the target's own challenge back is an attacker, so the
	 * connection is closed.
	 */
	if (len == sizeof(chap->challenge) && memcmp(theirs, chap->challenge, sizeof(chap->challenge)) == 0)
		return "the initiator sent the challenge of the target back (reflection)";
	response_len = iscsi_chap_response(chap->digest, (uint8_t)id, account->mutual_secret, theirs,
					   (size_t)len, response);
	if (response_len < 0)
		return "the digest cannot be computed";
	iscsi_binary_encode(response, (size_t)response_len, text);
	iscsi_text_add_key(out, ISCSI_KEY_CHAP_N, account->mutual_user);
	iscsi_text_add_key(out, ISCSI_KEY_CHAP_R, text);
	return NULL;
}

static const char *verify(struct iscsi_chap *chap, const struct iscsi_offers *offers,
			  struct iscsi_text_out *out)
{
	const char *name = offers->of[ISCSI_KEY_CHAP_N].value;
	const char *response = offers->of[ISCSI_KEY_CHAP_R].value;
	const char *id = offers->of[ISCSI_KEY_CHAP_I].value;
	const char *theirs = offers->of[ISCSI_KEY_CHAP_C].value;
	const char *wrong = NULL;
	struct model_account matched;

	if (!name || !response)
		return "CHAP_N and CHAP_R are missing";
	if (!id != !theirs)
		return "only one of CHAP_I and CHAP_C was sent";
	/* An initiator that has not authenticated itself gets no response. */
	if (!response_matches(chap, name, response, &matched))
		return "wrong CHAP user or secret";
	if (id)
		wrong = answer_challenge(chap, matched.secret, id, theirs, out);
	OPENSSL_cleanse(&matched, sizeof(matched));
	if (!wrong)
		chap->state = CHAP_PASSED;
	return wrong;
}

bool iscsi_chap_offered(const struct iscsi_offers *offers)
{
	for (unsigned key = ISCSI_KEY_CHAP_A; key <= ISCSI_KEY_CHAP_R; key++)
		if (offers->of[key].value)
			return true;
	return false;
}

const char *iscsi_chap_step(struct iscsi_chap *chap, const struct iscsi_offers *offers,
			    struct iscsi_text_out *out)
{
	const char *wrong = "the initiator sent CHAP keys after the end of CHAP";

	if (!iscsi_chap_offered(offers))
		return NULL;
	if (chap->state == CHAP_WANT_ALGORITHM)
		wrong = challenge(chap, offers, out);
	else if (chap->state == CHAP_WANT_RESPONSE)
		wrong = verify(chap, offers, out);
	if (wrong)
		chap->state = CHAP_FAILED;
	return wrong;
}
