# What the server writes in mails. One mail is a subject, a few short paragraphs, and at most one link.

mail-greeting = Hello { $name },
mail-greeting-nobody = Hello,
mail-link-by-hand = If the button does not work, copy this address into your browser:
mail-foot = This mail was sent by { $server }. Nobody reads answers to it.

invitation-subject = { $clinic } invites you
invitation-staff = { $inviter } invites you to work with { $clinic } in its records.
invitation-owner = { $inviter } invites you to see your pets' records at { $clinic }, ask for appointments and hear when something is due.
invitation-link = Accept the invitation
invitation-days = The link is for you alone and works for { $days } days. If you did not expect it, ignore this mail.

reset-subject = A new password for { $server }
reset-asked = Somebody asked for a new password for your account. Choose it here:
reset-link = Choose a new password
reset-hours = The link works once, within the next hour. If it was not you, ignore this mail: your password stays as it is.

password-changed-subject = Your password was changed
password-changed-text = The password of your account was changed. Everywhere else you have to sign in again with the new one.
password-changed-not-me = If it was not you, choose a new password at once and tell your clinic:
password-changed-link = Choose a new password

verify-subject = Is this your address?
verify-text = Please confirm that this is your address, so that we can reach you if you forget your password.
verify-link = This is my address
verify-days = The link works once, within the next three days.

new-email-subject = Confirm your new address
new-email-text = You want to use this address for your account from now on. Until you confirm it, the former one stays.
new-email-link = Use this address

email-change-subject = Your address is about to change
email-change-text = Somebody who is signed in as you asked to use { $address } for your account instead of this address.
email-change-not-me = If it was you, there is nothing to do here. If it was not you, choose a new password at once and tell your clinic:
email-change-link = Choose a new password

email-taken-subject = This address has an account already
email-taken-text = Somebody asked to use this address for their account, but it belongs to yours. Nothing was changed. If it was you, sign in with this address instead.

provider-linked-subject = You can sign in with { $provider } now
provider-linked-text = From now on you can sign in to your account with { $provider } too.
provider-linked-not-me = If it was not you, choose a new password at once, look at the linked accounts on your page, and tell your clinic:
provider-linked-link = Choose a new password

provider-unlinked-subject = Signing in with { $provider } was taken away
provider-unlinked-text = Your account cannot be signed in to with { $provider } any more.

factor-added-subject = An authenticator app or a passkey was set up for your account
factor-added-text = An authenticator app or a passkey was set up for your account. You can sign in with it from now on; an app takes the place of a former one.
factor-removed-subject = A second factor of your account was taken away
factor-removed-text = An authenticator app or a passkey of your account is not asked for any more.
factor-guessed-subject = Wrong codes at the second step of your sign-in
factor-guessed-text = Somebody got as far as the second step of signing in as you, and then could not show it several times. They have to wait longer and longer between tries now.
factor-guessed-not-me = If it was you, there is nothing to do here. If it was not you, somebody else knows your password or uses your account at a sign-in provider: choose a new password at once and tell your clinic:
factor-not-me = If it was not you, choose a new password at once and tell your clinic:

recovery-codes-subject = New recovery codes for your account
recovery-codes-text = A new list of recovery codes was made for your account. The former ones do not work any more.
recovery-code-subject = A recovery code of your account was used
recovery-code-text = One of the recovery codes of your account was used in place of an app or a passkey. You have { $left } left.

page-title = Signing in
page-slow-down = That was too much at once. Wait a minute, then go back and try again.
page-unavailable = The clinic cannot be reached at the moment. Go back and try again in a minute.
page-leads-nowhere = This page leads nowhere any more. Close it, and sign in again.
