"""An inbox of this machine: a mail server that delivers nothing, and a page that shows its mails.

For trying the reports without a mail server of one's own. `lake mail start` starts it, and as long
as it runs and LAKE_ALERT_SMTP is not set, mails go there.
"""
