"""The same request until it is answered, ever more seldom."""

from edge.orders.sender import FIRST_RETRY_S, LONGEST_RETRY_S, Sender


class Warehouse:
    """Hears requests while it is connected; its answers wait to be fetched."""

    def __init__(self):
        self.connected, self.heard, self.answers, self.topics = True, [], [], []

    def publish(self, topic, fields, expiry_s=None):
        self.topics.append(topic.name)
        self.heard += [fields["request"]] if self.connected else []
        return self.connected

    def acks(self):
        answers, self.answers = self.answers, []
        return answers


class Outbox:
    def __init__(self, *requests):
        self.open, self.tries = dict.fromkeys(requests), 0

    def unanswered(self):
        return [(request, {"request": request}) for request, answer in self.open.items() if answer is None]

    def tried(self, request):
        self.tries += 1

    def answered(self, request, answer):
        if self.open.get(request, "unknown") is not None:
            return False
        self.open[request] = answer
        return True


def sent(sender, warehouse, until_s):
    for tenth in range(10 * until_s):
        sender.step(tenth / 10)
    return len(warehouse.heard)


def test_an_answered_request_is_not_sent_again():
    warehouse, outbox = Warehouse(), Outbox("r-1")
    sender = Sender(outbox, warehouse, warehouse.acks)
    sender.step(0)
    warehouse.answers = [{"request": "r-1", "status": "accepted"}]
    assert sent(sender, warehouse, 300) == 1


def test_an_unanswered_request_is_sent_again_ever_more_seldom():
    warehouse, outbox = Warehouse(), Outbox("r-1")
    tries = sent(Sender(outbox, warehouse, warehouse.acks), warehouse, 600)
    fewest = 600 // LONGEST_RETRY_S
    assert fewest <= tries <= 600 / FIRST_RETRY_S / 4
    assert outbox.tries == tries
    assert set(warehouse.heard) == {"r-1"}


def test_nothing_counts_as_tried_without_a_connection():
    warehouse, outbox = Warehouse(), Outbox("r-1")
    warehouse.connected = False
    sender = Sender(outbox, warehouse, warehouse.acks)
    assert sent(sender, warehouse, 10) == 0
    warehouse.connected = True
    sender.step(10)
    assert warehouse.heard == ["r-1"]


def test_answers_to_nobodys_request_are_borne():
    warehouse = Warehouse()
    warehouse.answers = [{"request": "r-9", "status": "accepted"}] * 3
    Sender(Outbox(), warehouse, warehouse.acks).step(0)


def test_a_hold_and_a_replacement_are_owed_alike_each_on_its_topic():
    class Both(Outbox):
        def unanswered(self):
            return [("r", {"request": "r", "item": "i"}), ("h", {"request": "h", "kind": "lot"})]

    warehouse = Warehouse()
    Sender(Both("r", "h"), warehouse, warehouse.acks).step(0)
    assert warehouse.topics == ["replacement/request", "lot/hold"]
    assert warehouse.heard == ["r", "h"]
