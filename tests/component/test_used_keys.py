"""A key that was used before, and for something else."""

from three_services import ThreeServices


def test_a_key_that_was_used_for_another_item_is_said_to_be(shop: ThreeServices) -> None:
    first, other = shop.add_book(stock=1), shop.add_book(stock=1)
    key = {"Idempotency-Key": "for-one-item-only"}
    assert shop.call("POST", f"/purchase/{first}", "customer", headers=key).status_code == 201
    answer = shop.call("POST", f"/purchase/{other}", "customer", headers=key)
    assert answer.status_code == 422
    assert answer.json["detail"] == "The key was used for another item or with another body: take a new one."  # type: ignore[index]  # JSON or None
