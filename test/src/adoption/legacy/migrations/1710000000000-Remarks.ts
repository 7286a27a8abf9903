/** The team's second migration: remarks and coupons. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Remarks1710000000000 implements MigrationInterface {
  name = 'Remarks1710000000000';

  public async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(
      `CREATE TABLE "remark" ("id" SERIAL NOT NULL, "text" text NOT NULL, "line_order" uuid NOT NULL, "line_product" integer NOT NULL, "badge_title" character varying(20), CONSTRAINT "PK_58427c64a5e9ff68e1ff44d01f9" PRIMARY KEY ("id"))`,
    );
    await queryRunner.query(
      `CREATE TABLE "coupon" ("code" character varying(12) NOT NULL, "discount" numeric(4,2) NOT NULL, CONSTRAINT "PK_62d3c5b0ce63a82c48e86d904bc" PRIMARY KEY ("code"))`,
    );
    await queryRunner.query(
      `ALTER TABLE "remark" ADD CONSTRAINT "FK_ddf2349999cd09635f61e1d5c53" FOREIGN KEY ("line_order", "line_product") REFERENCES "order_line"("orderId","productId") ON DELETE CASCADE ON UPDATE NO ACTION`,
    );
    await queryRunner.query(
      `ALTER TABLE "remark" ADD CONSTRAINT "FK_d5fc5a07c32bd61581539a9c01f" FOREIGN KEY ("badge_title") REFERENCES "awards"."badges"("title") ON DELETE NO ACTION ON UPDATE NO ACTION`,
    );
  }

  public async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`ALTER TABLE "remark" DROP CONSTRAINT "FK_d5fc5a07c32bd61581539a9c01f"`);
    await queryRunner.query(`ALTER TABLE "remark" DROP CONSTRAINT "FK_ddf2349999cd09635f61e1d5c53"`);
    await queryRunner.query(`DROP TABLE "coupon"`);
    await queryRunner.query(`DROP TABLE "remark"`);
  }
}
