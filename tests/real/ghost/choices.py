"""Every setting that decides what becomes of a post, and what people do to one meanwhile, at a real Ghost."""
import time


def deleted_or_kept(person, daemon, mailgun):
    daemon.again('on_unpublish = "delete"')
    daemon.told("create", changelog_id=400, title="Deleted", description_html="<p>x</p>")
    daemon.settled()
    first = person.post(400)
    daemon.told("update", changelog_id=400, enabled=False)
    daemon.settled()
    assert person.post(400) is None and daemon.parked() == []
    daemon.told("update", changelog_id=400, title="Back")
    daemon.settled()
    second = person.post(400)
    assert second["id"] != first["id"] and second["status"] == "published" and second["email"] is None, second
    person.change(second, title="A person's")
    daemon.told("update", changelog_id=400, enabled=False)
    daemon.settled()
    assert person.post(400)["title"] == "A person's" and "a person changed this post" in daemon.parked()[0]["reason"]
    daemon.decide("drop")

    daemon.again('on_unpublish = "keep"')
    daemon.told("create", changelog_id=401, title="Kept", description_html="<p>x</p>")
    daemon.settled()
    daemon.told("update", changelog_id=401, draft=True)
    daemon.settled()
    kept = person.post(401)
    assert kept["status"] == "published", kept
    daemon.told("update", changelog_id=401, title="Kept and edited")
    daemon.settled()
    assert (person.post(401)["id"], person.post(401)["title"]) == (kept["id"], "Kept and edited")
    assert [mailgun.subjects.count(subject) for subject in ("Deleted", "Back", "Kept")] == [1, 0, 1], mailgun.subjects


def missing(person, daemon, mailgun):
    for number, setting in [(402, "recreate"), (403, "leave")]:
        daemon.again(f'on_missing = "{setting}"')
        daemon.told("create", changelog_id=number, title=f"Missing {number}", description_html="<p>x</p>")
        daemon.settled()
        first = person.post(number)
        person.ask("DELETE", f"posts/{first['id']}/")
        daemon.told("update", changelog_id=number, title=f"Missed {number}")
        daemon.settled()
        again = person.post(number)
        assert daemon.parked() == [], daemon.parked()
        if setting == "leave":
            assert again is None, again
        else:
            assert again["id"] != first["id"] and (again["title"], again["status"]) == (f"Missed {number}", "published"), again
    assert [mailgun.subjects.count(f"{word} {number}") for number in (402, 403) for word in ("Missing", "Missed")] == [1, 0, 1, 0], mailgun.subjects


def kept_from_people(person, daemon):
    daemon.again('on_remote_edit = "keep"')
    daemon.told("create", changelog_id=404, title="Ours", description_html="<p>ours</p>")
    daemon.settled()
    person.change(person.post(404), title="A person's", html="<p>theirs</p>")
    daemon.told("update", changelog_id=404, title="Ours again")
    daemon.settled()
    post = person.post(404)
    assert post["title"] == "A person's" and "theirs" in post["html"] and daemon.parked() == [], post


def drafts(person, daemon, mailgun):
    daemon.again('status = "draft"')
    daemon.told("create", changelog_id=405, title="Draft", description_html="<p>x</p>")
    daemon.settled()
    post = person.post(405)
    assert post["status"] == "draft" and post["email"] is None, post
    daemon.told("update", changelog_id=405, title="Draft, edited")
    daemon.settled()
    assert (person.post(405)["title"], person.post(405)["status"]) == ("Draft, edited", "draft")

    # A person schedules it: an edit is told, and overwriting keeps the time.
    when = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() + 86_400))
    person.change(person.post(405), status="scheduled", published_at=when)
    daemon.told("update", changelog_id=405, title="While it is scheduled")
    daemon.settled()
    post = person.post(405)
    assert (post["title"], post["status"]) == ("Draft, edited", "scheduled") and len(daemon.parked()) == 1, post
    daemon.again('status = "draft"\non_remote_edit = "overwrite"')
    daemon.decide("retry")
    daemon.settled()
    post = person.post(405)
    assert (post["title"], post["status"], post["published_at"]) == ("While it is scheduled", "scheduled", when), (post, daemon.parked())
    daemon.told("update", changelog_id=405, draft=True)
    daemon.settled()
    assert person.post(405)["status"] == "draft" and daemon.parked() == []
    # Nor does an entry that is published again override a person's time.
    daemon.again()
    daemon.told("create", changelog_id=406, title="Again", description_html="<p>x</p>")
    daemon.settled()
    daemon.told("update", changelog_id=406, draft=True)
    daemon.settled()
    person.change(person.post(406), status="scheduled", published_at=when)
    daemon.told("update", changelog_id=406, draft=False)
    daemon.settled()
    assert person.post(406)["status"] == "scheduled" and "a person changed this post" in daemon.parked()[0]["reason"]
    daemon.decide("drop")
    assert not any(subject.startswith(("Draft", "While")) for subject in mailgun.subjects), mailgun.subjects


def dates(person, daemon, mailgun):
    daemon.again("feature_image = true")
    image = "https://storage.example.com/a.png"
    daemon.told("create", changelog_id=407, title="Not yet", description_html="<p>x</p>", scheduled=True, created="2099-01-01 00:00:00")
    daemon.settled()
    assert person.post(407) is None and daemon.parked() == []
    daemon.told("update", changelog_id=407, description_html=f"<p>now</p><p><img src='{image}'></p>", scheduled=False)
    daemon.settled()
    post = person.post(407)
    assert post and post["status"] == "published" and daemon.parked() == [], (post, daemon.parked())
    assert post["published_at"] < "2099" and post["feature_image"] == image and mailgun.subjects.count("Not yet") == 1, post


def collisions(person, daemon, proxy):
    for number, setting, title in [(408, "park", "A person's"), (409, "overwrite", "Ours")]:
        daemon.again(f'on_remote_edit = "{setting}"')
        daemon.told("create", changelog_id=number, title="First", description_html="<p>x</p>")
        daemon.settled()
        # Ghost's times have seconds: what a person saves in the second of our own write collides with nothing.
        time.sleep(1.1)
        seen = []

        def collide(method, path):
            if method == "PUT" and "source=html" in path and not seen:
                seen.append(path)
                person.change(person.post(number), title="A person's")

        proxy.before = collide
        daemon.told("update", changelog_id=number, title="Ours")
        daemon.settled()
        proxy.before = lambda method, path: None
        assert seen and person.post(number)["title"] == title, (setting, person.post(number)["title"])
        assert len(daemon.parked()) == (setting == "park"), daemon.parked()
        daemon.decide("drop")
    refused = [status for status in proxy.statuses if status == 409]
    assert len(refused) == 2, proxy.statuses


def mailings(person, daemon, mailgun):
    daemon.again()
    mailgun.refuses = "The domain is not verified"
    sent = len(mailgun.subjects)
    daemon.told("create", changelog_id=410, title="Mail", description_html="<p>x</p>")
    daemon.settled()
    post = person.post(410)
    assert post["status"] == "published" and post["email"]["status"] == "failed", post["email"]
    assert [row["class"] for row in daemon.parked()] == ["rejected"] and "could not mail it: An unexpected error" in daemon.parked()[0]["reason"], daemon.parked()
    mailgun.refuses = None
    daemon.told("update", changelog_id=410, title="Mail, edited")
    daemon.settled()
    assert person.post(410)["title"] == "Mail, edited" and len(daemon.parked()) == 1 and len(mailgun.subjects) == sent
    person.ask("PUT", f"emails/{post['email']['id']}/retry/")
    daemon.decide("retry")
    daemon.settled()
    assert daemon.parked() == [] and person.post(410)["email"]["status"] == "submitted", daemon.parked()
    assert len(mailgun.subjects) == sent + 1, mailgun.subjects


def all_of(person, daemon, proxy, mailgun, said):
    deleted_or_kept(person, daemon, mailgun)
    said("on_unpublish deletes or keeps, and nothing that a person wrote is deleted untold")
    missing(person, daemon, mailgun)
    said("on_missing makes a post again without mailing again, or leaves it")
    kept_from_people(person, daemon)
    said("on_remote_edit keeps what a person wrote")
    drafts(person, daemon, mailgun)
    said("drafts are neither published nor mailed, and what a person scheduled keeps its time")
    dates(person, daemon, mailgun)
    said("an entry scheduled at Sleekplan waits for it; its date is never ahead; the first image is the post's")
    collisions(person, daemon, proxy)
    said("a person who saves between our look and our write is seen")
    mailings(person, daemon, mailgun)
    said("a mailing that failed is parked with Ghost's words, and mailed once by Ghost's own retry")
    daemon.again()
