"""What we measure against: hello-world Flask (Y1) and a minimal Flask + SQLAlchemy bid endpoint (Y2).

Both run under the same server, with the same settings, as the product. Y2 does what a tutorial would: lock the lot,
compare, insert, update, commit; no sign-in, no eligibility, no receipts, no replay of answers.
"""

from __future__ import annotations

import os

from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue
from sqlalchemy import BigInteger, Identity, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase):
    pass


class YLot(Base):
    __tablename__ = "y2_lot"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    price: Mapped[int] = mapped_column(BigInteger, default=0)
    bids: Mapped[int] = mapped_column(BigInteger, default=0)


class YBid(Base):
    __tablename__ = "y2_bid"
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    lot_id: Mapped[int] = mapped_column(BigInteger, index=True)
    bidder: Mapped[int] = mapped_column(BigInteger)
    amount: Mapped[int] = mapped_column(BigInteger)


def hello() -> Flask:
    app = Flask("hello")

    @app.get("/")
    def index() -> str:
        return "hello"

    return app


def minimal_bids() -> Flask:
    url = os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://", 1)
    engine = create_engine(url, pool_size=40)
    app = Flask("minimal")

    @app.post("/setup/<int:lots>")
    def setup(lots: int) -> ResponseReturnValue:
        Base.metadata.drop_all(engine)
        Base.metadata.create_all(engine)
        with Session(engine) as session:
            session.add_all(YLot(id=n, price=0, bids=0) for n in range(lots))
            session.commit()
        return jsonify(ok=True)

    @app.post("/bid")
    def bid() -> ResponseReturnValue:
        data = request.get_json()
        with Session(engine) as session:
            lot = session.scalar(select(YLot).where(YLot.id == data["lot"]).with_for_update())
            if lot is None:
                return jsonify(error="unknown"), 404
            if data["amount"] <= lot.price:
                return jsonify(error="too low", price=lot.price), 409
            lot.price = data["amount"]
            lot.bids += 1
            session.add(YBid(lot_id=lot.id, bidder=data["bidder"], amount=data["amount"]))
            session.commit()
            return jsonify(price=lot.price)

    return app
